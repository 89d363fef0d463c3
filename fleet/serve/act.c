/* SPDX-License-Identifier: Apache-2.0 */
/* Turns requests into launches, and goes on with those that wait. */
#include "serve/act.h"

#include "base/log.h"
#include "controller/nodes.h"
#include "controller/owners.h"
#include "launch/pool.h"
#include "serve/ask.h"
#include "serve/boots.h"
#include "serve/budget.h"
#include "serve/finish.h"
#include "serve/queue.h"
#include "serve/tell.h"

/* ---- requests ---- */

int act_resume(struct fleet *f, const struct hostlist *nodes, const struct jobs *jobs,
               struct err *e)
{
	size_t n = queue_wanted(f, nodes, jobs);

	/* What has an instance by our books is looked at: Slurm may know better. */
	if (n < nodes->n)
		f->reconcile = clock_now();
	return queue_write(f, e);
}

int act_suspend(struct fleet *f, const struct hostlist *nodes, const char *why, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char **ours = arena_array(a, nodes->n, sizeof *ours);
	size_t n = 0;

	queue_drop(f, nodes);
	for (size_t i = 0; i < nodes->n; i++)
		if (ledger_has(&f->ledger, nodes->names[i]) ||
		    ledger_wants(&f->ledger, nodes->names[i]))
			ours[n++] = nodes->names[i];
	return n ? ledger_unwanted(&f->ledger, ours, n, why, e) : 0;
}

int act_resume_failed(struct fleet *f, const struct hostlist *nodes, struct err *e)
{
	for (size_t i = 0; i < nodes->n; i++) {
		struct ledger_launch *l = NULL;
		struct site_resource *r = site_find(&f->site, nodes->names[i]);

		if (!r || !ledger_find(&f->ledger, nodes->names[i], &l) ||
		    !ledger_has(&f->ledger, nodes->names[i]))
			continue;
		struct site_pool *p = pool_find(r, l->type, l->subnet, l->market);
		boots_count(f, l, r, "it didn't join before ResumeTimeout");
		if (p)
			pool_failed(&f->site, p, CAUSE_CAPACITY,
			            "an instance didn't join before ResumeTimeout", clock_now());
	}
	return act_suspend(f, nodes, "it didn't join before ResumeTimeout", e);
}

/* ---- going on ---- */

/* Whether Slurm still waits for the node: a job's number outlives its requeues, and by now the node
 * may run another's. */
static bool is_awaited(const struct nodes *now, const char *node)
{
	for (size_t i = 0; i < now->n; i++)
		if (str_eq(now->items[i].name, node))
			return nodes_is_resuming(now->items[i].state);
	return false;
}

/* A job that can't have all of its nodes gives back those it has. */
static int give_back(struct fleet *f, const char *job, const char *why, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hostlist all = {0};
	struct nodes now;
	struct err unknown;

	if (nodes_list(a, &now, &unknown) < 0) {
		log_err("job %s keeps the nodes it has: %s", job, unknown.text);
		return 0;
	}

	for (size_t i = 0; i < f->ledger.n; i++) {
		const struct ledger_launch *l = &f->ledger.launches[i];

		for (size_t k = 0; l->whole && str_eq(l->owner.job, job) && k < l->n; k++)
			if (ledger_has(&f->ledger, l->places[k].node) && !l->places[k].ended &&
			    is_awaited(&now, l->places[k].node)) {
				all.names = arena_grow(a, all.names, &all.n, sizeof *all.names);
				all.names[all.n - 1] = l->places[k].node;
			}
	}
	if (!all.n)
		return 0;
	tell_failed(all.names, all.n, why);
	return act_suspend(f, &all, "another node of its job can't be had", e);
}

/* Nor are its nodes launched that still wait. */
static int drop_batches(struct fleet *f, const char *job, const char *why, struct err *e)
{
	for (struct fleet_batch *b = f->queue; b; b = b->next) {
		if (!b->whole || !b->n || !str_eq(b->owner.job, job))
			continue;
		int r = ledger_unwanted(&f->ledger, b->nodes, b->n, why, e);
		if (r < 0)
			return r;
		tell_failed(b->nodes, b->n, why);
		b->n = 0; /* an empty one is passed over */
	}
	return 0;
}

static const char *why_not(const struct fleet *f, const struct site_resource *r)
{
	const char *why = "all its pools rest";

	for (size_t i = 0; i < r->n_pools; i++)
		if (*r->pools[i].why)
			why = r->pools[i].why;
	return f->ledger.stopped ? "stopped by 'hpc-fleet stop'" : why;
}

static int give_up(struct fleet *f, const struct fleet_batch *b, const char *why, struct err *e)
{
	int r = ledger_unwanted(&f->ledger, b->nodes, b->n, why, e);
	if (r < 0)
		return r;
	tell_failed(b->nodes, b->n, why);
	f->reconcile = clock_min(f->reconcile, pool_back(b->resource));
	if (!b->whole)
		return 0;
	r = drop_batches(f, b->owner.job, why, e);
	return r < 0 ? r : give_back(f, b->owner.job, why, e);
}

/* 0: EC2 doesn't answer, or is asked too much: the queue waits, too. */
static int after(struct fleet *f, const struct fleet_batch *like, const struct ask_answer *answer)
{
	if (answer->silent) {
		f->again = clock_in_ms(ASK_AGAIN_MS);
		return 0;
	}
	if (answer->answered && answer->n)
		queue_first(f, like, answer->left, answer->n);
	return 1;
}

/* The first batch is passed over, or given up where `why` tells why. */
static int drop_first(struct fleet *f, const char *why, struct err *e)
{
	struct fleet_batch *b = queue_take(f);
	int r = b->n ? give_up(f, b, why ? why : why_not(f, b->resource), e) : 0;

	queue_close(b);
	return r < 0 ? r : 1;
}

/* So many of it are a batch of their own, which comes before the others. */
static int split_first(struct fleet *f, size_t n)
{
	struct fleet_batch *b = queue_take(f);

	queue_first(f, b, b->nodes + n, b->n - n);
	queue_first(f, b, b->nodes, n);
	queue_close(b);
	return 1;
}

/* 1: go on with the next; 0: EC2 doesn't answer, or may not be asked now. */
static int launch_first(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct fleet_batch *b = f->queue;
	struct site_pool *pool = f->ledger.stopped ? NULL : pool_next(b->resource, clock_now());
	const char *why = NULL;
	struct ask_answer answer;
	char token[LEDGER_TOKEN], shape[SITE_SHAPE];

	if (!pool || !b->n)
		return drop_first(f, NULL, e);
	size_t fit = budget_fit(f, pool, b->n, a, &why);
	if (fit < b->n)
		return fit && !b->whole ? split_first(f, fit) : drop_first(f, why, e);
	uint64_t wait = bucket_take_both(&f->buckets[BUCKET_RUN], &f->buckets[BUCKET_RUN_INSTANCES],
	                                 (double)b->n, clock_now());
	if (wait) {
		fleet_wake(f, clock_now() + wait);
		return 0;
	}
	int r = ledger_token(token, e);
	if (r < 0)
		return r;
	site_shape(&f->site, b->resource, shape);
	const struct ledger_ask intent = {.token = token,
	                                  .type = pool->type,
	                                  .subnet = pool->subnet,
	                                  .market = pool->market,
	                                  .queue = b->resource->queue,
	                                  .shape = shape,
	                                  .owner = b->owner,
	                                  .whole = b->whole,
	                                  .n = b->n,
	                                  .nodes = b->nodes};
	r = ledger_asked(&f->ledger, &intent, e);
	if (r < 0)
		return r;
	b = queue_take(f);
	r = ask(f, token, a, &answer, e);
	if (r >= 0)
		r = after(f, b, &answer);
	queue_close(b);
	return r;
}

/* The first unanswered launch whose time has come; NULL: there is none now. */
static const struct ledger_launch *unanswered(struct fleet *f)
{
	for (size_t i = 0; i < f->ledger.n; i++) {
		const struct ledger_launch *l = &f->ledger.launches[i];

		if (l->state != LEDGER_ASKED)
			continue;
		if (clock_passed(l->not_before))
			return l;
		fleet_wake(f, l->not_before);
	}
	return NULL;
}

static int ask_again(struct fleet *f, struct err *e)
{
	const struct ledger_launch *l;

	while (clock_passed(f->again) && (l = unanswered(f)) != NULL) {
		scope_arena struct arena *a = arena_new();
		const struct fleet_batch like = {.resource = site_find(&f->site, l->places[0].node),
		                                 .owner = owners_copy(&l->owner, a),
		                                 .whole = l->whole};
		struct ask_answer answer;

		uint64_t wait = bucket_take(&f->buckets[BUCKET_RUN], 1, clock_now());
		if (wait) {
			fleet_wake(f, clock_now() + wait);
			return 0;
		}
		int r = ask(f, arena_strdup(a, l->token), a, &answer, e);
		if (r < 0)
			return r;
		if (!like.resource)
			answer.n = 0;
		(void)after(f, &like, &answer);
	}
	return 0;
}

int act_pending(struct fleet *f, struct err *e)
{
	int r = ask_again(f, e);

	if (r < 0)
		return r;
	/* While EC2 doesn't answer, more questions only pile up. One launch that it answers oddly holds up
	 * no other. */
	while (f->queue && clock_passed(f->again)) {
		r = launch_first(f, e);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	if (!clock_passed(f->again))
		fleet_wake(f, f->again);
	r = ledger_sync(&f->ledger, e);
	if (r < 0)
		return r;
	return finish_unwanted(f, e);
}
