/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a change of a cluster's stack, and tells what it came to. */
#include "state/outcome.h"

#include <errno.h>

#include "state/view.h"

#define DEADLINE_MS (60 * 60 * 1000)

uint64_t outcome_deadline(struct life *l)
{
	return program_deadline(&l->program, DEADLINE_MS);
}

uint64_t outcome_pause(const struct life *l)
{
	return l->interval_ms ? l->interval_ms : OUTCOME_PAUSE_MS;
}

int outcome_made(struct life *l, struct feed *f, const char *id, struct err *e)
{
	struct stacks found;
	int r = stacks_list(l->cloud, id, l->program.arena, &found, l->program.deadline, e);

	if (r < 0)
		return r;
	const struct stacks_item *s = &found.items[0];
	const char *head = stacks_output(s, "Head"), *at = stacks_output(s, "HeadAddress");
	if (f->json) {
		struct jsonw *w = feed_begin(f, "cluster");

		jsonw_str(w, "clusterName", s->name);
		jsonw_str(w, "cloudFormationStackStatus", s->status);
		jsonw_str(w, "cloudformationStackArn", s->id);
		jsonw_str(w, "clusterStatus", view_status(s));
		jsonw_str(w, "region", view_region(s, l->program.arena));
		jsonw_str(w, "head", head);
		jsonw_str(w, "headAddress", at);
		feed_end(f);
		return 0;
	}
	feed_line(f, "cluster %s: %s, head %s, %s", s->name, view_status(s), head ? head : "none",
	          at ? at : "no address");
	return 0;
}

/* The reasons of AWS are long, and the error has room for one. */
static int failed(const struct follow_end *end, struct err *e)
{
	const struct stacks_event *cause = end->cause;

	return err_set(e, ERR_DENIED, REASON_AWS_STATE, ECANCELED,
	               "%s failed: %.320s; it is %s now", cause ? cause->logical : "the stack",
	               cause ? cause->reason : "CloudFormation tells no reason", end->status);
}

int outcome_follow(struct life *l, struct feed *f, const char *id, const char *token, struct err *e)
{
	struct follow follow = {.cloud = l->cloud,
	                        .feed = f,
	                        .arena = l->program.arena,
	                        .id = id,
	                        .token = token,
	                        .pause_ms = outcome_pause(l),
	                        .deadline = outcome_deadline(l)};
	struct follow_end end;
	int r = follow_run(&follow, &end, e);

	if (r < 0)
		return r;
	if (str_eq(end.status, "DELETE_COMPLETE") && !end.cause)
		return 0;
	if (!str_eq(end.status, "CREATE_COMPLETE") && !str_eq(end.status, "UPDATE_COMPLETE"))
		return failed(&end, e);
	return outcome_made(l, f, id, e);
}
