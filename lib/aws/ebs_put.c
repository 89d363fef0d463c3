/* SPDX-License-Identifier: Apache-2.0 */
/* EBS direct: puts many blocks at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "aws/ebs.h"
#include "aws/ebs_own.h"
#include "base/clock.h"
#include "http/retry.h"

#define ATTEMPT_MS 20000
#define STALL_S    12
#define BLOCK_MS   120000
#define HALVE_MS   500 /* throttles within it count as one: their requests were sent before it */
#define ANSWER_MAX 4096

struct pool;

/* One block, and the request that sends it. */
struct slot {
	struct pool *pool;
	struct call k;
	struct call_signed sig;
	struct arena *arena; /* of one attempt */
	struct ebs_block block;
	unsigned char *data;
	char path[96], sum[64];
	uint64_t deadline; /* of the block */
	unsigned tries;
	struct backoff soon, later;
	struct err refused; /* the last refusal by EBS, reported instead of a timeout after it */
	bool has_block, sent;
};

struct pool {
	struct cloud *cloud;
	struct ebs_put *p;
	uint64_t deadline, settled, halved;
	double window;
	unsigned sent, skews, renewals;
	bool exhausted, failed;
	struct err err; /* the first */
	struct slot slots[EBS_CONNECTIONS_MAX];
};

static void stop(struct pool *g, const struct err *why)
{
	if (!g->failed)
		g->err = *why;
	g->failed = true;
}

static void halve(struct pool *g)
{
	if (!clock_passed(g->halved))
		return;
	g->halved = clock_in_ms(HALVE_MS);
	g->window = g->window > 2 ? g->window / 2 : 1;
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static void on_done(struct http_exchange *x);

static int send_slot(struct slot *s, uint64_t wait_ms, struct err *e)
{
	struct pool *g = s->pool;
	uint64_t start = wait_ms ? clock_in_ms(wait_ms) : 0;
	uint64_t limit = clock_in_ms(wait_ms + (g->p->attempt_ms ? g->p->attempt_ms : ATTEMPT_MS));
	int r;

	arena_close(s->arena);
	s->arena = arena_new();
	r = call_prepare(g->cloud, &s->k, &s->sig, s->arena,
	                 clock_min(clock_min(limit, s->deadline), g->deadline), e);
	if (r < 0)
		return r;
	s->k.x.start = start;
	s->k.x.stall_s = STALL_S;
	s->k.x.done = on_done;
	s->k.x.ctx = s;
	s->tries++;
	g->p->attempts++;
	g->sent += !s->sent;
	s->sent = true;
	http_start(g->cloud->http, &s->k.x);
	return 0;
}

static void ready_slot(struct slot *s)
{
	struct pool *g = s->pool;

	snprintf(s->path, sizeof s->path, "/snapshots/%s/blocks/%u", g->p->snapshot,
	         s->block.index);
	str_base64_encode((struct blob){(const char *)s->block.sha256, SHA256_LEN}, s->sum,
	                  sizeof s->sum);
	s->k = (struct call){
	        .doing = "putting a block",
	        .service = "ebs",
	        .method = "PUT",
	        .region = g->cloud->region,
	        .custom = ebs_custom(g->cloud),
	        .unsigned_body = true,
	        .rows = ebs_rows,
	        .place = ebs_place,
	        .path = s->path,
	        .headers = {{"x-amz-Checksum", s->sum},
	                    {"x-amz-Checksum-Algorithm", "SHA256"},
	                    {"x-amz-Data-Length", "524288"}},
	        .n_headers = 3,
	};
	s->k.x.body = (struct blob){(const char *)s->data, EBS_BLOCK};
	s->k.x.max = ANSWER_MAX;
	s->soon = (struct backoff){.base_ms = 100, .cap_ms = 5000};
	s->later = (struct backoff)BACKOFF_SERVICE;
	s->refused = (struct err){0};
	s->tries = 0;
	s->deadline = clock_in_ms(BLOCK_MS);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void give_up(struct slot *s, struct err *why)
{
	err_wrap(why, "putting block %u of '%s': try %u", s->block.index, s->pool->p->snapshot,
	         s->tries);
	stop(s->pool, why);
}

static int send_again(struct slot *s, uint32_t ms, const struct err *why, struct err *e)
{
	retry_log(ms, s->path, s->tries, why);
	return send_slot(s, ms, e);
}

static void again(struct slot *s, struct backoff *b, uint32_t at_least_ms, struct err *why)
{
	uint32_t ms = backoff_next_ms(b);
	struct err e = {0};

	ms = ms > at_least_ms ? ms : at_least_ms;
	if (clock_left_ms(clock_min(s->deadline, s->pool->deadline)) <= ms)
		give_up(s, why->no == ETIMEDOUT && s->refused.kind ? &s->refused : why);
	else if (send_again(s, ms, why, &e) < 0)
		stop(s->pool, &e);
}

static void act(struct slot *s, const struct awserr_row *row, struct err *why)
{
	struct pool *g = s->pool;
	struct cloud *c = g->cloud;

	s->refused = *why;
	if (row->action == AWSERR_THROTTLE) {
		g->p->throttled++;
		halve(g);
		again(s, &s->later, s->k.x.retry_after_ms, why);
	} else if (row->action == AWSERR_RETRY) {
		again(s, &s->soon, s->k.x.retry_after_ms, why);
	} else if (row->kind == ERR_ABSENT && g->p->just_started && !clock_passed(g->settled)) {
		again(s, &s->later, 0, why);
	} else if (row->action == AWSERR_SKEW && (g->skews++ < g->p->connections) &&
	           call_skew(c, &s->k.x)) {
		again(s, &s->soon, 0, why);
	} else if (row->action == AWSERR_CREDS && !c->creds.fixed && g->renewals < 3) {
		/* Nothing more is sent until all running requests have ended; run() renews then. */
		creds_distrust(&c->creds);
	} else {
		give_up(s, why);
	}
}

static void fill(struct pool *g);

static void arrived(struct slot *s)
{
	struct pool *g = s->pool;
	struct err e = {0};

	s->has_block = false;
	g->p->put++;
	if (g->window < g->p->connections)
		g->window += 1 / g->window;
	if (g->p->done(g->p->ctx, &s->block, &e) < 0)
		stop(g, &e);
}

static void on_done(struct http_exchange *x)
{
	struct slot *s = x->ctx;
	struct pool *g = s->pool;
	struct awserr ae;
	struct err e = x->err;

	s->sent = false;
	g->sent--;
	explicit_bzero(s->sig.auth, sizeof s->sig.auth);
	if (g->failed)
		return;
	if (x->rc < 0 && e.kind == ERR_RETRY) {
		if (e.no == ETIMEDOUT)
			halve(g);
		x->fresh = true;
		again(s, &s->soon, 0, &e);
	} else if (x->rc < 0) {
		/* What EBS said before tells more than that the time is over. */
		give_up(s, e.kind == ERR_DEADLINE && s->refused.kind ? &s->refused : &e);
	} else if (x->status / 100 != 2) {
		act(s, call_refusal(g->cloud, &s->k, &ae, &e), &e);
	} else if (x->checksum[0] && !str_eq(x->checksum, s->sum)) {
		err_set(&e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
		        "EBS received other bytes than were sent");
		give_up(s, &e);
	} else {
		arrived(s);
	}
	fill(g);
}

/* ---- filling the window ---------------------------------------------------------------------- */

/* Reads the next block into the slot; without one s->has_block stays false. */
static int next_block(struct pool *g, struct slot *s, struct err *e)
{
	int r;

	if (g->exhausted)
		return 0;
	r = g->p->next(g->p->ctx, &s->block, e);
	if (r < 0)
		return r;
	if (r == 0) {
		g->exhausted = true;
		return 0;
	}
	r = g->p->read(g->p->ctx, s->block.index, s->data, e);
	if (r < 0)
		return r;
	s->has_block = true;
	ready_slot(s);
	return 0;
}

static int fill_slot(struct pool *g, struct slot *s, struct err *e)
{
	int r;

	if (s->sent)
		return 0;
	if (!s->has_block) {
		r = next_block(g, s, e);
		if (r < 0)
			return r;
	}
	if (!s->has_block)
		return 0;
	return send_slot(s, 0, e);
}

static bool may_send(const struct pool *g)
{
	return !g->failed && g->sent < (unsigned)g->window && creds_fresh(&g->cloud->creds);
}

static void fill(struct pool *g)
{
	for (unsigned i = 0; i < g->p->connections && may_send(g); i++) {
		struct err e = {0};

		if (fill_slot(g, &g->slots[i], &e) < 0)
			stop(g, &e);
	}
}

static bool work_left(const struct pool *g)
{
	for (unsigned i = 0; i < g->p->connections; i++)
		if (g->slots[i].has_block)
			return true;
	return !g->exhausted;
}

static int run(struct pool *g, struct err *e)
{
	unsigned need = SESSION_REGION | SESSION_CREDS;

	if (!ebs_custom(g->cloud))
		need |= SESSION_DOMAIN;
	while (!g->failed && work_left(g)) {
		int r = session_need(g->cloud, need, g->deadline, e);

		if (r < 0)
			return r;
		g->renewals++;
		fill(g);
		http_wait(g->cloud->http);
	}
	if (g->failed) {
		*e = g->err;
		return -e->no;
	}
	return 0;
}

static void pool_close(struct pool *g)
{
	for (unsigned i = 0; i < g->p->connections; i++) {
		if (g->slots[i].sent)
			http_cancel(&g->slots[i].k.x);
		call_close(&g->slots[i].k);
		arena_close(g->slots[i].arena);
		free(g->slots[i].data);
	}
	free(g);
}

int ebs_put(struct cloud *c, struct ebs_put *p, uint64_t deadline, struct err *e)
{
	struct pool *g = calloc(1, sizeof *g);
	int r;

	if (!g || p->connections < 1 || p->connections > EBS_CONNECTIONS_MAX)
		abort();
	g->cloud = c;
	g->p = p;
	g->deadline = deadline;
	g->window = p->connections;
	g->settled = clock_in_ms(EBS_SETTLE_MS);
	for (unsigned i = 0; i < p->connections; i++) {
		g->slots[i].pool = g;
		if (!(g->slots[i].data = malloc(EBS_BLOCK)))
			abort();
	}
	http_keep(c->http, p->connections);
	r = run(g, e);
	pool_close(g);
	return r;
}
