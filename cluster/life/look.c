/* SPDX-License-Identifier: Apache-2.0 */
/* list, describe, events: what there is of clusters in the account. */
#include <stdio.h>

#include "data/jsonw.h"
#include "life/life.h"
#include "state/fleet_state.h"
#include "state/outcome.h"
#include "state/view.h"

/* ---- list ---- */

/* CloudFormation isn't asked for some only: its statuses are others. */
static bool is_listed(const struct life *l, const struct stacks_item *s)
{
	bool any = !l->statuses.n;

	for (size_t i = 0; i < l->statuses.n; i++)
		any |= str_eq(l->statuses.items[i], view_status(s));
	return any && view_is_ours(s);
}

static int list_json(struct life *l, const struct stacks *stacks)
{
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "clusters", '[');
	for (size_t i = 0; i < stacks->n; i++) {
		const struct stacks_item *s = &stacks->items[i];

		if (!is_listed(l, s))
			continue;
		jsonw_begin(&w, NULL, '{');
		view_summary(l, &w, s);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return view_print(l, out.data);
}

int verb_list(void *program)
{
	struct life *l = program;
	struct stacks stacks;
	struct err e;

	if (view_open(l, &e) < 0 ||
	    stacks_list(l->cloud, NULL, l->program.arena, &stacks, l->program.deadline, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json)
		return list_json(l, &stacks);
	for (size_t i = 0; i < stacks.n; i++)
		if (is_listed(l, &stacks.items[i]))
			printf("%-24s %-20s %s\n", stacks.items[i].name,
			       view_status(&stacks.items[i]), stacks.items[i].created);
	return 0;
}

/* ---- describe ---- */

/* What takes more calls: only where a voice wants the whole. */
struct more {
	const char *fleet; /* its status, or NULL */
	bool failed;
	const struct stacks_event *cause; /* or NULL */
};

/* A fleet of which nothing can be had is no reason to tell nothing of the cluster. */
static int look_at_more(struct life *l, const struct view *v, struct more *ret, struct err *e)
{
	struct stacks_events events;
	struct fleet_word fleet;
	struct err why;

	if (!l->voice || !l->voice->whole)
		return 0;
	ret->fleet = fleet_state(l, &v->stack, &fleet, &why) < 0 ? FLEET_UNKNOWN : fleet.status;
	ret->failed = str_eq(view_status(&v->stack), "CREATE_FAILED");
	if (!ret->failed)
		return 0;
	int r = stacks_events(l->cloud, v->stack.id, l->program.arena, &events, l->program.deadline,
	                      e);
	if (r < 0)
		return r;
	ret->cause = stacks_cause(&events);
	return 0;
}

static void describe_tags(struct jsonw *w, const struct doc *tags)
{
	jsonw_begin(w, "tags", '[');
	for (size_t i = 0; tags && i < tags->n; i++) {
		jsonw_begin(w, NULL, '{');
		jsonw_str(w, "value", doc_text(tags->items[i], "Value"));
		jsonw_str(w, "key", doc_text(tags->items[i], "Key"));
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void failures(struct jsonw *w, const struct stacks_event *cause, const struct view *v)
{
	jsonw_begin(w, "failures", '[');
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "failureCode", cause ? "ResourceCreationFailure" : "ClusterCreationFailure");
	jsonw_str(w, "failureReason", cause ? cause->reason : v->stack.reason);
	jsonw_end(w, '}');
	jsonw_end(w, ']');
}

static int describe_json(struct life *l, const struct view *v, const struct more *more)
{
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};
	const struct stacks_item *s = &v->stack;

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "creationTime", view_time(s->created, a));
	if (v->head.id) {
		jsonw_begin(&w, "headNode", '{');
		view_instance(&w, &v->head);
		jsonw_end(&w, '}');
	}
	jsonw_str(&w, "version", view_version(l));
	if (more->fleet) {
		jsonw_begin(&w, "clusterConfiguration", '{');
		jsonw_str(&w, "url", "NOT_AVAILABLE");
		jsonw_end(&w, '}');
	}
	describe_tags(&w, s->tags);
	jsonw_str(&w, "cloudFormationStackStatus", s->status);
	jsonw_str(&w, "clusterName", s->name);
	if (more->fleet)
		jsonw_str(&w, "computeFleetStatus", more->fleet);
	jsonw_str(&w, "cloudformationStackArn", s->id);
	jsonw_str(&w, "lastUpdatedTime", view_time(*s->updated ? s->updated : s->created, a));
	jsonw_str(&w, "region", view_region(s, a));
	jsonw_str(&w, "clusterStatus", view_status(s));
	view_scheduler(&w);
	if (more->failed)
		failures(&w, more->cause, v);
	jsonw_end(&w, '}');
	return view_print(l, out.data);
}

int verb_describe(void *program)
{
	struct life *l = program;
	struct view v = {0};
	struct more more = {0};
	struct err e;

	if (view_cluster(l, l->program.line.operands[0], &v, &e) < 0 ||
	    look_at_more(l, &v, &more, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json)
		return describe_json(l, &v, &more);
	printf("%s: %s%s%s, made %s\n", v.stack.name, view_status(&v.stack),
	       *v.stack.reason ? ": " : "", v.stack.reason, v.stack.created);
	if (v.head.id)
		printf("head: %s, %s, %s, %s\n", v.head.id, v.head.type, v.head.state,
		       *v.head.address ? v.head.address : "no address yet");
	return 0;
}

/* ---- events ---- */

static int events_json(struct life *l, const struct stacks_events *list)
{
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "events", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct stacks_event *at = &list->items[i];

		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "eventId", at->id);
		jsonw_str(&w, "physicalResourceId", at->physical);
		jsonw_str(&w, "resourceStatus", at->status);
		if (*at->reason)
			jsonw_str(&w, "resourceStatusReason", at->reason);
		jsonw_str(&w, "stackId", at->stack_id);
		jsonw_str(&w, "stackName", at->stack);
		jsonw_str(&w, "logicalResourceId", at->logical);
		jsonw_str(&w, "resourceType", at->type);
		jsonw_str(&w, "timestamp", view_time(at->at, a));
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return view_print(l, out.data);
}

/* Until the newest change is over. */
static int follow_events(struct life *l)
{
	struct stacks_item s;
	struct feed feed;
	struct err e;

	feed_open(&feed, &l->program, stdout);
	int r = view_stack(l, l->program.line.operands[0], &s, &e);
	if (r == 0)
		r = outcome_follow(l, &feed, s.id, NULL, &e);
	feed_clear(&feed);
	return r < 0 ? program_fail(&l->program, &e) : 0;
}

int verb_events(void *program)
{
	struct life *l = program;
	struct stacks_events list;
	struct err e;

	if (l->follow)
		return follow_events(l);
	if (view_open(l, &e) < 0 ||
	    stacks_events(l->cloud, l->program.line.operands[0], l->program.arena, &list,
	                  l->program.deadline, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json)
		return events_json(l, &list);
	for (size_t i = list.n; i-- > 0;)
		printf("%s  %-22s %-24s %s%s%s\n", list.items[i].at, list.items[i].status,
		       list.items[i].logical, list.items[i].type, *list.items[i].reason ? ": " : "",
		       list.items[i].reason);
	const struct stacks_event *cause = stacks_cause(&list);
	if (cause)
		printf("it failed by %s: %s\n", cause->logical, cause->reason);
	return 0;
}
