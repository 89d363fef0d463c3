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

/* *ret_token: NULL where a deletion goes on already. */
static int ask(struct ending *x, const char **ret_token, struct err *e)
{
	size_t n;
	int r = count_events(x, &n, e);

	*ret_token = NULL;
	if (r < 0 || str_eq(x->stack.status, "DELETE_IN_PROGRESS"))
		return r;
	*ret_token = token_of(x, n);
	return stacks_delete(x->life->cloud, x->stack.id, *ret_token, x->life->program.deadline, e);
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
	int r = ask(x, &follow.token, e);

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

static int end_head(struct ending *x, struct err *e)
{
	const char *head = x->stack.id ? stacks_output(&x->stack, "Head") : NULL;

	return head ? sweep_head(&x->sweep, head, e) : 0;
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

static void tell(struct ending *x, const char *status)
{
	if (!x->feed.json)
		return;
	struct jsonw *w = feed_begin(&x->feed, "cluster");

	jsonw_str(w, "clusterName", x->name);
	jsonw_str(w, "clusterStatus", status);
	feed_end(&x->feed);
}

/* As far as somebody has to stay for it: a stack whose nodes run can't be deleted, and a head that runs
 * launches some. */
static int begin(struct ending *x, struct err *e)
{
	bool begun = str_eq(x->stack.status, "DELETE_IN_PROGRESS");
	const char *token;
	size_t n;
	int r = begun ? 0 : end_head(x, e);

	if (r < 0)
		return r;
	r = begun ? 0 : sweep_nodes(&x->sweep, &n, e);
	if (r < 0)
		return r;
	r = begun ? 0 : ask(x, &token, e);
	if (r < 0)
		return r;
	feed_line(&x->feed, "cluster %s: CloudFormation deletes its stack", x->name);
	x->stack.status = "DELETE_IN_PROGRESS";
	tell(x, x->stack.status);
	return 0;
}

static int check_options(const struct life *l, struct err *e)
{
	if (!l->purge || !l->no_wait)
		return 0;
	return err_set(e, ERR_USAGE, REASON_INPUT_UNSUPPORTED, EINVAL,
	               "--purge deletes what the cluster reads until it is gone: expected no "
	               "--no-wait");
}

static int run(struct ending *x, struct err *e)
{
	int r = check_options(x->life, e);

	if (r < 0)
		return r;
	r = open(x, e);
	if (r < 0)
		return r;
	if (x->life->voice && !x->stack.id)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "deleting cluster '%.100s': there is no such stack", x->name);
	if (x->life->no_wait && x->stack.id)
		return begin(x, e);
	r = end_head(x, e);
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
	tell(x, "DELETE_COMPLETE");
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
		return l->voice ? l->voice->changed(l, &(struct life_change){.stack = &x.stack})
		                : 0;
	const char *action = rights_action(e.text, l->program.arena);
	const struct rights_place place = {x.caller.account, x.region, x.store.bucket, x.name};
	int status = program_fail(&l->program, &e);
	if (action)
		log_err("the statement that allows it: %s",
		        rights_statement(action, &place, l->program.arena));
	return status;
}
