/* SPDX-License-Identifier: Apache-2.0 */
/* Receives one body over several tries. */
#include "http/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static int restart(struct http_exchange *x, struct transfer *t)
{
	int r = t->got ? t->sink->restart(t->sink->ctx, &x->err) : 0;

	t->got = 0;
	t->etag[0] = '\0';
	/* A weak ETag doesn't promise the same bytes: it can't be used to resume. */
	if (x->etag[0] == '"')
		memcpy(t->etag, x->etag, sizeof t->etag);
	return r;
}

/* "bytes 100-199/200" */
static bool is_the_rest(const struct http_exchange *x, const struct transfer *t)
{
	char want[48];

	snprintf(want, sizeof want, "bytes %" PRIu64 "-", t->got);
	return t->ranged && str_starts(x->content_range, want) && str_eq(x->etag, t->etag);
}

int transfer_begin(struct http_exchange *x)
{
	struct transfer *t = x->ctx;

	if (x->status == 200)
		return restart(x, t);
	if (x->status == 206 && is_the_rest(x, t))
		return 0;
	t->etag[0] = '\0';
	return err_set(&x->err, t->ranged ? ERR_RETRY : ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
	               "the answer has status %d, which isn't what was asked for", x->status);
}

int transfer_write(struct http_exchange *x, const void *data, size_t len)
{
	struct transfer *t = x->ctx;

	if (len > t->max - t->got)
		return err_set(&x->err, ERR_DENIED, REASON_HTTP_TOO_LARGE, EFBIG,
		               "it is larger than the %" PRIu64 " bytes allowed", t->max);
	t->got += len;
	return t->sink->write(t->sink->ctx, data, len, &x->err);
}

bool transfer_resumes(struct transfer *t)
{
	t->ranged = t->got > 0 && t->etag[0];
	if (t->ranged)
		snprintf(t->range, sizeof t->range, "bytes=%" PRIu64 "-", t->got);
	return t->ranged;
}

void transfer_reset(struct transfer *t)
{
	t->etag[0] = '\0';
}
