/* SPDX-License-Identifier: Apache-2.0 */
/* Selects the blocks of a disk that a snapshot needs, and sends them. */
#include "publish/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/scope.h"

struct work {
	struct upload *u;
	uint32_t at, end;
	unsigned char *marks; /* of an earlier run */
	uint64_t done;
	unsigned char zero[SHA256_LEN];
};

static void zero_digest(unsigned char out[static SHA256_LEN])
{
	scope_mem void *block = calloc(1, BLOCKS_SIZE);

	if (!block)
		abort();
	digest_sha256(block, BLOCKS_SIZE, out);
}

static uint32_t last(const struct blocks *b, const struct blocks *parent)
{
	return parent && parent->n > b->n ? parent->n : b->n;
}

static bool is_sent(const struct blocks *b, const struct blocks *parent, uint32_t i)
{
	return parent ? !blocks_same(b, parent, i) : !blocks_zero(b, i);
}

void upload_sum(const struct blocks *b, const struct blocks *parent, uint32_t *ret_n,
                unsigned char ret[static SHA256_LEN])
{
	scope_digest struct digest *d = digest_new();
	unsigned char zero[SHA256_LEN];
	uint32_t n = 0;

	zero_digest(zero);
	for (uint32_t i = 0; i < last(b, parent); i++)
		if (is_sent(b, parent, i)) {
			digest_add(d, blocks_zero(b, i) ? zero : b->sha256[i], SHA256_LEN);
			n++;
		}
	digest_sum(d, ret);
	*ret_n = n;
}

static int next(void *ctx, struct ebs_block *ret, struct err *e)
{
	struct work *w = ctx;
	const struct blocks *b = w->u->blocks;

	(void)e;
	while (w->at < w->end && (w->marks[w->at] || !is_sent(b, w->u->parent, w->at)))
		w->at++;
	if (w->at == w->end)
		return 0;
	ret->index = w->at++;
	memcpy(ret->sha256, blocks_zero(b, ret->index) ? w->zero : b->sha256[ret->index],
	       SHA256_LEN);
	return 1;
}

static int read_block(void *ctx, uint32_t index, void *block, struct err *e)
{
	const struct work *w = ctx;

	return blocks_read(w->u->fd, w->u->name, index, block, e);
}

static void tell(const struct work *w)
{
	if (w->u->progress)
		w->u->progress(w->u->ctx, w->done, w->u->total);
}

static int done(void *ctx, const struct ebs_block *b, struct err *e)
{
	struct work *w = ctx;

	if (w->u->mark >= 0 && pwrite(w->u->mark, "\1", 1, b->index) != 1)
		return err_errno(e, errno, "noting what was sent");
	w->done++;
	tell(w);
	return 0;
}

static int load_marks(struct work *w, struct err *e)
{
	w->marks = calloc(w->end ? w->end : 1, 1);
	if (!w->marks)
		abort();
	if (w->u->mark >= 0 && pread(w->u->mark, w->marks, w->end, 0) < 0)
		return err_errno(e, errno, "reading what was sent");
	for (uint32_t i = 0; i < w->end; i++)
		if (is_sent(w->u->blocks, w->u->parent, i)) {
			w->u->total++;
			w->done += w->marks[i] != 0;
		}
	return 0;
}

static int put(struct work *w, uint64_t deadline, struct err *e)
{
	struct upload *u = w->u;
	struct ebs_put p = {
	        .snapshot = u->snapshot,
	        .connections = u->connections,
	        .attempt_ms = u->attempt_ms,
	        .just_started = u->just_started,
	        .next = next,
	        .read = read_block,
	        .done = done,
	        .ctx = w,
	};
	int r = load_marks(w, e);

	if (r < 0)
		return r;
	zero_digest(w->zero);
	tell(w);
	r = ebs_put(u->cloud, &p, deadline, e);
	u->put = p.put;
	u->attempts = p.attempts;
	u->throttled = p.throttled;
	return r;
}

int upload_run(struct upload *u, uint64_t deadline, struct err *e)
{
	struct work w = {.u = u, .end = last(u->blocks, u->parent)};
	int r = put(&w, deadline, e);

	free(w.marks);
	return r;
}
