/* SPDX-License-Identifier: Apache-2.0 */
/* delete: ends a cluster's instances, then its stack, and tells what is left. */
#include <errno.h>

#include "aws/caller.h"
#include "aws/stacks_change.h"
#include "base/log.h"
#include "change/rights.h"
#include "change/store.h"
#include "change/sweep.h"
#include "life/life.h"
#include "state/outcome.h"
#include "state/view.h"

#define LOOK_MS   (2 * 60 * 1000)
#define TRIES_MAX 5 /* a group that something still uses can't be deleted */

struct ending {
	struct life *life;
	const char *name;
	struct feed feed;
	struct caller caller;
	const char *region;
	struct store store;
	struct sweep sweep;
	struct stacks_item stack; /* its id is NULL where there is none */
};

/* ---- looking ---- */

static int find_stack(struct ending *x, struct err *e)
{
	struct program *p = &x->life->program;
	struct stacks found;
	int r = stacks_list(x->life->cloud, x->name, p->arena, &found, p->deadline, e);

	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	if (r < 0)
		return r;
	if (found.n != 1 || !view_is_ours(&found.items[0]))
		return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
		               "stack '%.100s' is no cluster's: nothing was done", x->name);
	x->stack = found.items[0];
	x->name = x->stack.name;
	return 0;
}

static int open(struct ending *x, struct err *e)
{
	struct life *l = x->life;
	struct program *p = &l->program;
	int r = program_cloud(p, l->region, LOOK_MS, &l->cloud, e);

	if (r < 0)
		return r;
	r = cloud_region(l->cloud, &x->region, p->deadline, e);
	if (r < 0)
		return r;
	r = caller_look(l->cloud, p->arena, &x->caller, p->deadline, e);
	if (r < 0)
		return r;
	cloud_expect_owner(l->cloud, x->caller.account);
	r = find_stack(x, e);
	if (r < 0)
		return r;
	const char *bucket = l->bucket;
	if (!bucket && x->stack.id)
		bucket = stacks_parameter(&x->stack, "Bucket");
	x->store = store_of(l->cloud, bucket, x->caller.account, x->region, p->arena);
	x->sweep = (struct sweep){.cloud = l->cloud,
	                          .feed = &x->feed,
	                          .cluster = x->name,
	                          .pause_ms = outcome_pause(l),
	                          .deadline = outcome_deadline(l)};
	return 0;
}

/* ---- the stack ---- */

/* Each try is a request of its own: the events of an earlier one aren't its. */
static const char *token_of(const struct ending *x, size_t n_events)
{
	return arena_printf(x->life->program.arena, "hpc-delete-%s-%zu",
	                    strrchr(x->stack.id, '/') + 1, n_events);
}

static int count_events(struct ending *x, size_t *ret, struct err *e)
{
	struct program *p = &x->life->program;
	struct stacks_events all;
	int r = stacks_events(x->life->cloud, x->stack.id, p->arena, &all, p->deadline, e);

	*ret = r < 0 ? 0 : all.n;
	return r;
}

/* Once. A deletion that goes on already is followed. */
static int delete_once(struct ending *x, struct follow_end *ret, struct err *e)
{
	struct program *p = &x->life->program;
	struct follow follow = {.cloud = x->life->cloud,
	                        .feed = &x->feed,
	                        .arena = p->arena,
	                        .id = x->stack.id,
	                        .pause_ms = outcome_pause(x->life),
	                        .deadline = p->deadline};
	size_t n;
	int r = count_events(x, &n, e);

	if (r < 0)
		return r;
	if (!str_eq(x->stack.status, "DELETE_IN_PROGRESS")) {
		follow.token = token_of(x, n);
		r = stacks_delete(x->life->cloud, x->stack.id, follow.token, p->deadline, e);
	}
	if (r < 0)
		return r;
	x->stack.status = "";
	return follow_run(&follow, ret, e);
}

static bool is_in_use(const struct stacks_event *cause)
{
	return cause && (strstr(cause->reason, "DependencyViolation") ||
	                 strstr(cause->reason, "dependent object"));
}

static int failed(const struct follow_end *end, struct err *e)
{
	const struct stacks_event *cause = end->cause;

	return err_set(e, ERR_DENIED, REASON_AWS_STATE, ECANCELED,
	               "the stack is %s: %s %s could not be deleted: %.300s", end->status,
	               cause ? cause->logical : "something", cause ? cause->physical : "",
	               cause ? cause->reason : "CloudFormation tells no reason");
}

/* What is kept on purpose, by name. */
static void tell_kept(struct ending *x, const struct stacks_events *events)
{
	for (size_t i = events->n; i-- > 0;) {
		const struct stacks_event *at = &events->items[i];

		if (!str_eq(at->status, "DELETE_SKIPPED"))
			continue;
		feed_line(&x->feed, "kept: %s %s (%s)", at->type, at->physical, at->logical);
		if (x->feed.json) {
			struct jsonw *w = feed_begin(&x->feed, "kept");

			jsonw_str(w, "resourceType", at->type);
			jsonw_str(w, "physicalResourceId", at->physical);
			feed_end(&x->feed);
		}
	}
}

/* An instance that is launched in the last moment keeps the nodes' group in use: again, then. */
static int delete_stack(struct ending *x, struct err *e)
{
	struct follow_end end = {0};
	size_t n;

	for (unsigned i = 0; i < TRIES_MAX; i++) {
		int r = sweep_nodes(&x->sweep, &n, e);

		if (r < 0)
			return r;
		r = delete_once(x, &end, e);
		if (r < 0)
			return r;
		if (str_eq(end.status, "DELETE_COMPLETE")) {
			tell_kept(x, &end.events);
			return 0;
		}
		if (!is_in_use(end.cause))
			break;
		feed_line(&x->feed, "%s is in use still: again", end.cause->logical);
	}
	return failed(&end, e);
}

/* ---- what is left ---- */

static int check_left(struct ending *x, struct err *e)
{
	struct arena *a = x->life->program.arena;
	struct instances left;
	size_t n;
	int r = sweep_nodes(&x->sweep, &n, e);

	if (r < 0)
		return r;
	r = sweep_left(&x->sweep, a, &left, e);
	if (r < 0)
		return r;
	if (left.n)
		return err_set(e, ERR_DENIED, REASON_AWS_STATE, EBUSY,
		               "%zu instances of the cluster are left, '%.40s' the first of them",
		               left.n, left.items[0].id);
	return 0;
}

static int purge(struct ending *x, struct err *e)
{
	size_t n = 0;

	if (!x->life->purge) {
		feed_line(&x->feed, "kept: s3://%s/%s/ (--purge deletes it)", x->store.bucket,
		          x->name);
		return 0;
	}
	int r = store_empty(&x->store, x->name, &n, x->life->program.deadline, e);
	if (r < 0)
		return r;
	feed_line(&x->feed, "s3://%s/%s/: %zu versions of objects deleted", x->store.bucket,
	          x->name, n);
	return 0;
}

static int run(struct ending *x, struct err *e)
{
	int r = open(x, e);

	if (r < 0)
		return r;
	const char *head = x->stack.id ? stacks_output(&x->stack, "Head") : NULL;
	r = head ? sweep_head(&x->sweep, head, e) : 0;
	if (r < 0)
		return r;
	r = x->stack.id ? delete_stack(x, e) : 0;
	if (r < 0)
		return r;
	r = check_left(x, e);
	if (r < 0)
		return r;
	r = purge(x, e);
	if (r < 0)
		return r;
	feed_line(&x->feed, x->stack.id ? "cluster %s: deleted" : "cluster %s: there is none",
	          x->name);
	if (x->feed.json) {
		struct jsonw *w = feed_begin(&x->feed, "cluster");

		jsonw_str(w, "clusterName", x->name);
		jsonw_str(w, "clusterStatus", "DELETE_COMPLETE");
		feed_end(&x->feed);
	}
	return 0;
}

int verb_delete(void *program)
{
	struct life *l = program;
	struct ending x = {.life = l, .name = l->program.line.operands[0]};
	struct err e;

	feed_open(&x.feed, &l->program, stdout);
	int r = run(&x, &e);
	feed_clear(&x.feed);
	if (r == 0)
		return 0;
	const char *action = rights_action(e.text, l->program.arena);
	const struct rights_place place = {x.caller.account, x.region, x.store.bucket, x.name};
	int status = program_fail(&l->program, &e);
	if (action)
		log_err("the statement that allows it: %s",
		        rights_statement(action, &place, l->program.arena));
	return status;
}
