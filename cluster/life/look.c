/* SPDX-License-Identifier: Apache-2.0 */
/* list, describe, events: what there is of clusters in the account. */
#include <errno.h>
#include <stdio.h>

#include "aws/instances.h"
#include "aws/stacks.h"
#include "data/jsonw.h"
#include "life/life.h"
#include "stack/stack.h"

#define LOOK_MS    60000
#define OUTPUT_MAX (64UL << 20)

static int open_cloud(struct life *l, struct err *e)
{
	return program_cloud(&l->program, l->region, LOOK_MS, &l->cloud, e);
}

static bool is_ours(const struct stacks_item *s)
{
	return str_starts(s->description, STACK_MARK);
}

/* ---- ParallelCluster's words ---- */

/* Of what CloudFormation says: the first row that it begins with. */
static const struct {
	const char *begins, *status;
} statuses[] = {
        {"ROLLBACK_", "CREATE_FAILED"},
        {"UPDATE_ROLLBACK_COMPLETE_", "UPDATE_IN_PROGRESS"},
        {"UPDATE_ROLLBACK_IN", "UPDATE_IN_PROGRESS"},
        {"UPDATE_ROLLBACK_", "UPDATE_FAILED"},
        {"UPDATE_COMPLETE_CLEANUP", "UPDATE_IN_PROGRESS"},
};

static const char *cluster_status(const struct stacks_item *s)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (str_starts(s->status, statuses[i].begins))
			return statuses[i].status;
	return s->status;
}

static const char *region_of(const struct stacks_item *s, struct arena *a)
{
	char *arn = arena_strdup(a, s->id), *save = NULL, *part = strtok_r(arn, ":", &save);

	for (int i = 0; i < 3 && part; i++)
		part = strtok_r(NULL, ":", &save);
	return part ? part : "";
}

/* ---- list ---- */

static void list_json(const struct stacks *stacks, struct arena *a)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "clusters", '[');
	for (size_t i = 0; i < stacks->n; i++) {
		const struct stacks_item *s = &stacks->items[i];

		if (!is_ours(s))
			continue;
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "clusterName", s->name);
		jsonw_str(&w, "cloudformationStackStatus", s->status);
		jsonw_str(&w, "cloudformationStackArn", s->id);
		jsonw_str(&w, "region", region_of(s, a));
		jsonw_str(&w, "version", HPC_VERSION);
		jsonw_str(&w, "clusterStatus", cluster_status(s));
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

	if (open_cloud(l, &e) < 0 ||
	    stacks_list(l->cloud, NULL, l->program.arena, &stacks, l->program.deadline, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json) {
		list_json(&stacks, l->program.arena);
		return 0;
	}
	for (size_t i = 0; i < stacks.n; i++)
		if (is_ours(&stacks.items[i]))
			printf("%-24s %-20s %s\n", stacks.items[i].name,
			       cluster_status(&stacks.items[i]), stacks.items[i].created);
	return 0;
}

/* ---- describe ---- */

struct cluster_view {
	struct stacks_item stack;
	struct instances_item head; /* its id is NULL where there is none yet */
};

static int not_ours(const struct stacks_item *s, struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
	               "stack '%.100s' is no cluster's: expected one that `hpc-cluster template` "
	               "made",
	               s->name);
}

/* A head that is gone leaves the cluster to be described without it. */
static int look_at_head(struct life *l, struct cluster_view *v, struct err *e)
{
	const char *id = stacks_output(&v->stack, "Head");
	const struct instances_query q = {.ids = &id, .n_ids = 1, .ended = true};
	struct ec2_refusal why;
	struct instances found;

	if (!id)
		return 0;
	int r = instances_list(l->cloud, &q, l->program.arena, &found, &why, l->program.deadline,
	                       e);
	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	if (r == 0 && found.n)
		v->head = found.items[0];
	return r;
}

static int look(struct life *l, struct cluster_view *ret, struct err *e)
{
	const char *name = l->program.line.operands[0];
	struct cluster_view v = {0};
	struct stacks stacks;
	int r = open_cloud(l, e);

	if (r < 0)
		return r;
	r = stacks_list(l->cloud, name, l->program.arena, &stacks, l->program.deadline, e);
	if (r < 0)
		return r;
	if (stacks.n != 1)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "looking at stack '%.100s': CloudFormation tells of %zu", name,
		               stacks.n);
	v.stack = stacks.items[0];
	if (!is_ours(&v.stack))
		return not_ours(&v.stack, e);
	r = look_at_head(l, &v, e);
	if (r < 0)
		return r;
	*ret = v;
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

static void describe_json(const struct cluster_view *v, struct arena *a)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};
	const struct stacks_item *s = &v->stack;

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "creationTime", s->created);
	if (v->head.id) {
		jsonw_begin(&w, "headNode", '{');
		jsonw_str(&w, "instanceId", v->head.id);
		jsonw_str(&w, "instanceType", v->head.type);
		jsonw_str(&w, "state", v->head.state);
		jsonw_str(&w, "privateIpAddress", v->head.address);
		jsonw_end(&w, '}');
	}
	jsonw_str(&w, "version", HPC_VERSION);
	describe_tags(&w, s->tags);
	jsonw_str(&w, "cloudFormationStackStatus", s->status);
	jsonw_str(&w, "clusterName", s->name);
	jsonw_str(&w, "cloudformationStackArn", s->id);
	jsonw_str(&w, "lastUpdatedTime", *s->updated ? s->updated : s->created);
	jsonw_str(&w, "region", region_of(s, a));
	jsonw_str(&w, "clusterStatus", cluster_status(s));
	jsonw_begin(&w, "scheduler", '{');
	jsonw_str(&w, "type", "slurm");
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	puts(out.data);
}

int verb_describe(void *program)
{
	struct life *l = program;
	struct cluster_view v = {0};
	struct err e;

	if (look(l, &v, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json) {
		describe_json(&v, l->program.arena);
		return 0;
	}
	printf("%s: %s%s%s, made %s\n", v.stack.name, cluster_status(&v.stack),
	       *v.stack.reason ? ": " : "", v.stack.reason, v.stack.created);
	if (v.head.id)
		printf("head: %s, %s, %s, %s\n", v.head.id, v.head.type, v.head.state,
		       *v.head.address ? v.head.address : "no address yet");
	return 0;
}

/* ---- events ---- */

static void events_json(const struct stacks_events *list, struct arena *a)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
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

	if (open_cloud(l, &e) < 0 ||
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
