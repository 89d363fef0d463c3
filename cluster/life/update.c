/* SPDX-License-Identifier: Apache-2.0 */
/* update: shows what another file would change of a cluster, and then carries it out. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "change/differ.h"
#include "life/life.h"
#include "life/update.h"
#include "state/outcome.h"
#include "state/view.h"

#define PENDING 10 /* exit status: there is something to do, and it wasn't done */

/* ---- the stack as it is ---- */

/* Of a stack's status, the first row that it begins with; none: it can be changed. */
static const struct {
	const char *begins;
	enum err_kind kind;
	const char *words;
} fixed[] = {
        {"ROLLBACK_IN_PROGRESS", ERR_BUSY, "its creation failed and is being undone"},
        {"ROLLBACK_", ERR_DENIED,
         "its creation failed: `hpc-cluster delete` makes room for another"},
        {"CREATE_FAILED", ERR_DENIED,
         "its creation failed: `hpc-cluster delete` makes room for another"},
        {"CREATE_IN_PROGRESS", ERR_BUSY, "it is being made"},
        {"DELETE_IN_PROGRESS", ERR_BUSY, "it is being deleted"},
        {"DELETE_FAILED", ERR_DENIED, "its deletion failed: `hpc-cluster delete` goes on with it"},
        {"UPDATE_ROLLBACK_FAILED", ERR_DENIED,
         "a change could not be undone: CloudFormation's ContinueUpdateRollback goes on with that"},
        {"UPDATE_ROLLBACK_COMPLETE_CLEANUP", ERR_BUSY, "it is being changed"},
        {"UPDATE_ROLLBACK_IN", ERR_BUSY, "it is being changed"},
        {"UPDATE_IN_PROGRESS", ERR_BUSY, "it is being changed"},
        {"UPDATE_COMPLETE_CLEANUP", ERR_BUSY, "it is being changed"},
};

/* An earlier run's change, to this very file. */
static bool goes_on(const struct make *m, const struct stacks_item *s)
{
	return !m->life->voice && make_is_same(m, s) &&
	       (str_eq(s->status, "UPDATE_IN_PROGRESS") ||
	        str_starts(s->status, "UPDATE_COMPLETE_CLEANUP"));
}

static int find(struct make *m, struct stacks_item *ret, struct err *e)
{
	struct program *p = &m->life->program;
	struct stacks found;
	int r = stacks_list(m->life->cloud, m->name, p->arena, &found, p->deadline, e);

	if (r < 0)
		return r;
	const struct stacks_item *s = &found.items[0];
	if (found.n != 1 || !view_is_ours(s))
		return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
		               "stack '%.100s' is no cluster's: nothing was done", m->name);
	for (size_t i = 0; i < ARRAY_LEN(fixed) && !goes_on(m, s); i++)
		if (str_starts(s->status, fixed[i].begins))
			return err_set(e, fixed[i].kind, REASON_AWS_STATE, EBUSY,
			               "cluster '%.100s' can't be changed (%s): %s", s->name,
			               s->status, fixed[i].words);
	m->store = store_of(m->life->cloud, stacks_parameter(s, "Bucket"), m->caller.account,
	                    m->region, p->arena);
	*ret = *s;
	return 0;
}

/* ---- what CloudFormation says of it ---- */

static bool is_pending(const char *status)
{
	return str_ends(status, "_PENDING") || str_ends(status, "_IN_PROGRESS");
}

static int wait_for_plan(struct make *m, const char *id, struct stacks_plan *ret, struct err *e)
{
	struct program *p = &m->life->program;

	for (;;) {
		int r = stacks_plan_look(m->life->cloud, id, p->arena, ret, p->deadline, e);

		if (r < 0 || !is_pending(ret->status))
			return r;
		feed_passing(&m->feed, "CloudFormation looks at what would change");
		if (!clock_sleep_ms(outcome_pause(m->life), p->deadline))
			return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT,
			               "waiting for what would change: the time is over");
	}
}

/* One that a killed run has left is made anew. */
static int make_plan(struct make *m, const char *name, const char **ret_id, struct err *e)
{
	const struct stacks_request q = make_request(m);
	struct program *p = &m->life->program;
	int r = stacks_plan_make(m->life->cloud, &q, name, p->arena, ret_id, p->deadline, e);

	if (r == 0 || e->reason != REASON_AWS_CONFLICT)
		return r;
	r = stacks_plan_drop(m->life->cloud, q.name, name, p->deadline, e);
	if (r < 0)
		return r;
	return stacks_plan_make(m->life->cloud, &q, name, p->arena, ret_id, p->deadline, e);
}

static bool is_nothing(const struct stacks_plan *plan)
{
	return str_eq(plan->status, "FAILED") &&
	       (strstr(plan->reason, "didn't contain changes") ||
	        strstr(plan->reason, "No updates are to be performed"));
}

/* ---- deciding ---- */

/* ParallelCluster's words: who has a voice takes them for a failure. */
static int no_changes(struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_AWS_STATE, EALREADY,
	               "No changes found in your cluster configuration.");
}

/* On a terminal the person is asked. */
static bool is_wanted(struct make *m)
{
	char answer[8];

	if (m->life->yes || m->life->dryrun)
		return !m->life->dryrun;
	if (!m->feed.terminal || m->feed.json || isatty(STDIN_FILENO) != 1)
		return false;
	feed_clear(&m->feed);
	fputs("Carry it out? [y/N] ", stdout);
	fflush(stdout);
	return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* *ret_wanted: the plan is to be carried out. */
static int decide(struct make *m, const char *id, bool *ret_wanted, int *status, struct err *e)
{
	struct stacks_plan plan;
	int r = wait_for_plan(m, id, &plan, e);

	*ret_wanted = false;
	if (r < 0)
		return r;
	if (is_nothing(&plan) && m->life->voice)
		return no_changes(e);
	if (is_nothing(&plan)) {
		feed_line(&m->feed, "cluster %s: nothing changes", m->name);
		return 0;
	}
	if (!str_eq(plan.status, "CREATE_COMPLETE"))
		return err_set(e, ERR_DENIED, REASON_AWS_INVALID, EINVAL,
		               "CloudFormation can't change it so: %.300s", plan.reason);
	update_tell_steps(m, &plan);
	r = update_refuse(m, &plan, e);
	if (r < 0)
		return r;
	*ret_wanted = is_wanted(m);
	if (!*ret_wanted) {
		*status = PENDING;
		feed_line(&m->feed, "nothing was done: --yes carries it out");
	}
	return 0;
}

/* ---- carrying it out ---- */

/* The token has a time in it: the same file may come again, after another one. */
static const char *run_token(struct make *m)
{
	return arena_printf(m->life->program.arena, "hpc-update-%.32s-%lld", m->file.sha256,
	                    (long long)clock_wall());
}

static int carry_out(struct make *m, const struct stacks_item *s, const char *plan, struct err *e)
{
	const char *token = run_token(m);

	outcome_deadline(m->life); /* a person may have thought about it */
	int r = make_upload(m, e);

	if (r < 0)
		return r;
	r = stacks_plan_run(m->life->cloud, plan, token, m->life->program.deadline, e);
	if (r < 0 || m->life->no_wait)
		return r;
	return outcome_follow(m->life, &m->feed, s->id, token, e);
}

static int change(struct make *m, const struct stacks_item *s, int *status, struct err *e)
{
	const char *name = arena_printf(m->life->program.arena, "hpc-%.32s", m->file.sha256);
	struct err ignored;
	const char *id;
	bool wanted;
	int r = make_values(m, s, e);

	if (r < 0)
		return r;
	r = update_tell_config(m, s, e);
	if (r < 0)
		return r;
	if (m->life->voice && !m->life->force && m->differences && !m->differences->n)
		return no_changes(e);
	r = make_place(m, e);
	if (r < 0)
		return r;
	r = make_plan(m, name, &id, e);
	if (r < 0)
		return r;
	r = decide(m, id, &wanted, status, e);
	if (r == 0 && wanted)
		return carry_out(m, s, id, e);
	/* What is left of it changes nothing, and goes when the stack is changed. */
	(void)!stacks_plan_drop(m->life->cloud, s->name, name, m->life->program.deadline, &ignored);
	return r;
}

/* *ret_id: the stack's, where it is being changed now. */
static int run(struct make *m, const char **ret_id, int *status, struct err *e)
{
	struct stacks_item s;
	int r = make_open(m, NULL, e);

	if (r < 0)
		return r;
	r = find(m, &s, e);
	if (r < 0)
		return r;
	if (goes_on(m, &s))
		return outcome_follow(m->life, &m->feed, s.id, NULL, e);
	r = change(m, &s, status, e);
	*ret_id = r == 0 && *status != PENDING ? s.id : NULL;
	return r;
}

int verb_update(void *program)
{
	struct life *l = program;
	struct make m;
	struct err e;
	const char *id = NULL;
	int status = 0, r = make_read(l, &m, &e);

	r = r < 0 ? r : run(&m, &id, &status, &e);
	feed_clear(&m.feed);
	if (r < 0)
		return make_fail(&m, &e);
	return l->voice ? make_done(&m, id, "UPDATE_IN_PROGRESS") : status;
}
