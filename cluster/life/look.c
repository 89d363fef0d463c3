/* SPDX-License-Identifier: Apache-2.0 */
/* list, describe, events: what there is of clusters in the account. */
#include <stdio.h>

#include "data/jsonw.h"
#include "life/view.h"

/* ---- list ---- */

static void list_json(const struct stacks *stacks, struct arena *a)
{
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "clusters", '[');
	for (size_t i = 0; i < stacks->n; i++) {
		const struct stacks_item *s = &stacks->items[i];

		if (!view_is_ours(s))
			continue;
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "clusterName", s->name);
		jsonw_str(&w, "cloudformationStackStatus", s->status);
		jsonw_str(&w, "cloudformationStackArn", s->id);
		jsonw_str(&w, "region", view_region(s, a));
		jsonw_str(&w, "version", HPC_VERSION);
		jsonw_str(&w, "clusterStatus", view_status(s));
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	puts(out.data);
}

int verb_list(void *program)
{
	struct life *l = program;
	struct stacks stacks;
	struct err e;

	if (view_open(l, &e) < 0 ||
	    stacks_list(l->cloud, NULL, l->program.arena, &stacks, l->program.deadline, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json) {
		list_json(&stacks, l->program.arena);
		return 0;
	}
	for (size_t i = 0; i < stacks.n; i++)
		if (view_is_ours(&stacks.items[i]))
			printf("%-24s %-20s %s\n", stacks.items[i].name,
			       view_status(&stacks.items[i]), stacks.items[i].created);
	return 0;
}

/* ---- describe ---- */

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

static void describe_json(const struct view *v, struct arena *a)
{
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};
	const struct stacks_item *s = &v->stack;

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "creationTime", s->created);
	if (v->head.id) {
		jsonw_begin(&w, "headNode", '{');
		view_instance(&w, &v->head);
		jsonw_end(&w, '}');
	}
	jsonw_str(&w, "version", HPC_VERSION);
	describe_tags(&w, s->tags);
	jsonw_str(&w, "cloudFormationStackStatus", s->status);
	jsonw_str(&w, "clusterName", s->name);
	jsonw_str(&w, "cloudformationStackArn", s->id);
	jsonw_str(&w, "lastUpdatedTime", *s->updated ? s->updated : s->created);
	jsonw_str(&w, "region", view_region(s, a));
	jsonw_str(&w, "clusterStatus", view_status(s));
	jsonw_begin(&w, "scheduler", '{');
	jsonw_str(&w, "type", "slurm");
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	puts(out.data);
}

int verb_describe(void *program)
{
	struct life *l = program;
	struct view v = {0};
	struct err e;

	if (view_cluster(l, l->program.line.operands[0], &v, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json) {
		describe_json(&v, l->program.arena);
		return 0;
	}
	printf("%s: %s%s%s, made %s\n", v.stack.name, view_status(&v.stack),
	       *v.stack.reason ? ": " : "", v.stack.reason, v.stack.created);
	if (v.head.id)
		printf("head: %s, %s, %s, %s\n", v.head.id, v.head.type, v.head.state,
		       *v.head.address ? v.head.address : "no address yet");
	return 0;
}

/* ---- events ---- */

static void events_json(const struct stacks_events *list, struct arena *a)
{
	struct strbuf out = STRBUF(a, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "events", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct stacks_event *at = &list->items[i];

		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "eventId", at->id);
		jsonw_str(&w, "timestamp", at->at);
		jsonw_str(&w, "logicalResourceId", at->logical);
		jsonw_str(&w, "physicalResourceId", at->physical);
		jsonw_str(&w, "resourceType", at->type);
		jsonw_str(&w, "resourceStatus", at->status);
		if (*at->reason)
			jsonw_str(&w, "resourceStatusReason", at->reason);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	puts(out.data);
}

int verb_events(void *program)
{
	struct life *l = program;
	struct stacks_events list;
	struct err e;

	if (view_open(l, &e) < 0 ||
	    stacks_events(l->cloud, l->program.line.operands[0], l->program.arena, &list,
	                  l->program.deadline, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json) {
		events_json(&list, l->program.arena);
		return 0;
	}
	for (size_t i = list.n; i-- > 0;)
		printf("%s  %-22s %-24s %s%s%s\n", list.items[i].at, list.items[i].status,
		       list.items[i].logical, list.items[i].type, *list.items[i].reason ? ": " : "",
		       list.items[i].reason);
	const struct stacks_event *cause = stacks_cause(&list);
	if (cause)
		printf("it failed by %s: %s\n", cause->logical, cause->reason);
	return 0;
}
