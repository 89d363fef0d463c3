/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of CloudFormation that look at stacks. */
#include "aws/stacks.h"

#include <errno.h>
#include <stdio.h>

#include "aws/stacks_own.h"

/* ---- one page ---- */

struct asking {
	const char *action, *list, *name; /* `list`: its name in the answer */
	char doing[200];
	struct arena *arena;
};

/* *ret: the list, or NULL; *ret_next: the token of the next page, or NULL. */
static int ask(struct cloud *c, const struct asking *q, const char *token, const struct doc **ret,
               const char **ret_next, uint64_t deadline, struct err *e)
{
	struct stacks_form f = stacks_form(q->arena, q->action);
	const struct doc *result;

	snprintf(f.doing, sizeof f.doing, "%s", q->doing);
	query_put(&f.body, "StackName", q->name);
	query_put(&f.body, "NextToken", token);
	int r = stacks_call(c, &f, &result, deadline, e);
	if (r < 0)
		return r;
	const struct doc *list = doc_get(result, q->list);
	if (!result || (list && list->type != DOC_LIST && list->type != DOC_NULL))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what CloudFormation sends", q->doing);
	if (list && list->type == DOC_NULL)
		list = NULL;
	*ret = list;
	*ret_next = doc_text(result, "NextToken");
	return 0;
}

static int ask_all(struct cloud *c, const struct asking *q,
                   void (*take)(void *ctx, const struct doc *item), void *ctx, uint64_t deadline,
                   struct err *e)
{
	const char *token = NULL;
	const struct doc *list;
	size_t n = 0;

	do {
		int r = ask(c, q, token, &list, &token, deadline, e);

		if (r < 0)
			return r;
		for (size_t i = 0; list && i < list->n; i++)
			take(ctx, list->items[i]);
		n += list ? list->n : 0;
		if (n > STACKS_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
			               "%s: more than %d of them", q->doing, STACKS_MAX);
	} while (token);
	return 0;
}

static const char *text(const struct doc *d, const char *key)
{
	const char *found = doc_text(d, key);

	return found ? found : "";
}

static const struct doc *list_of(const struct doc *d, const char *key)
{
	const struct doc *list = doc_get(d, key);

	return list && list->type == DOC_LIST ? list : NULL;
}

/* ---- stacks ---- */

struct listing {
	struct arena *arena;
	struct stacks stacks;
	struct stacks_events events;
};

static void take_stack(void *ctx, const struct doc *d)
{
	struct listing *l = ctx;

	l->stacks.items =
	        arena_grow(l->arena, l->stacks.items, &l->stacks.n, sizeof *l->stacks.items);
	l->stacks.items[l->stacks.n - 1] = (struct stacks_item){
	        .name = text(d, "StackName"),
	        .id = text(d, "StackId"),
	        .status = text(d, "StackStatus"),
	        .reason = text(d, "StackStatusReason"),
	        .created = text(d, "CreationTime"),
	        .updated = text(d, "LastUpdatedTime"),
	        .description = text(d, "Description"),
	        .outputs = list_of(d, "Outputs"),
	        .parameters = list_of(d, "Parameters"),
	        .tags = list_of(d, "Tags"),
	};
}

const char *stacks_output(const struct stacks_item *at, const char *key)
{
	for (size_t i = 0; at->outputs && i < at->outputs->n; i++)
		if (str_eq(doc_text(at->outputs->items[i], "OutputKey"), key))
			return doc_text(at->outputs->items[i], "OutputValue");
	return NULL;
}

const char *stacks_parameter(const struct stacks_item *at, const char *key)
{
	for (size_t i = 0; at->parameters && i < at->parameters->n; i++)
		if (str_eq(doc_text(at->parameters->items[i], "ParameterKey"), key))
			return doc_text(at->parameters->items[i], "ParameterValue");
	return NULL;
}

int stacks_list(struct cloud *c, const char *name, struct arena *a, struct stacks *ret,
                uint64_t deadline, struct err *e)
{
	struct asking q = {.action = "DescribeStacks", .list = "Stacks", .name = name, .arena = a};
	struct listing l = {.arena = a};

	snprintf(q.doing, sizeof q.doing, name ? "looking at stack '%.150s'" : "listing stacks",
	         name);
	int r = ask_all(c, &q, take_stack, &l, deadline, e);
	if (r < 0)
		return r;
	*ret = l.stacks;
	return 0;
}

/* ---- events ---- */

static void take_event(void *ctx, const struct doc *d)
{
	struct listing *l = ctx;

	l->events.items =
	        arena_grow(l->arena, l->events.items, &l->events.n, sizeof *l->events.items);
	l->events.items[l->events.n - 1] = (struct stacks_event){
	        .id = text(d, "EventId"),
	        .at = text(d, "Timestamp"),
	        .stack = text(d, "StackName"),
	        .stack_id = text(d, "StackId"),
	        .logical = text(d, "LogicalResourceId"),
	        .physical = text(d, "PhysicalResourceId"),
	        .type = text(d, "ResourceType"),
	        .status = text(d, "ResourceStatus"),
	        .reason = text(d, "ResourceStatusReason"),
	        .token = text(d, "ClientRequestToken"),
	};
}

int stacks_events(struct cloud *c, const char *name, struct arena *a, struct stacks_events *ret,
                  uint64_t deadline, struct err *e)
{
	struct asking q = {
	        .action = "DescribeStackEvents", .list = "StackEvents", .name = name, .arena = a};
	struct listing l = {.arena = a};

	snprintf(q.doing, sizeof q.doing, "looking at the events of stack '%.150s'", name);
	int r = ask_all(c, &q, take_event, &l, deadline, e);
	if (r < 0)
		return r;
	*ret = l.events;
	return 0;
}

bool stacks_begins(const struct stacks_event *at)
{
	if (!str_eq(at->type, "AWS::CloudFormation::Stack"))
		return false;
	/* A creation that failed may end by its deletion. */
	if (str_eq(at->status, "DELETE_IN_PROGRESS"))
		return !strstr(at->reason, "failed to create");
	return str_eq(at->status, "CREATE_IN_PROGRESS") || str_eq(at->status, "UPDATE_IN_PROGRESS");
}

const struct stacks_event *stacks_cause(const struct stacks_events *list)
{
	const struct stacks_event *cause = NULL;

	for (size_t i = 0; i < list->n && !stacks_begins(&list->items[i]); i++)
		if (str_ends(list->items[i].status, "_FAILED") &&
		    !strstr(list->items[i].reason, "cancelled"))
			cause = &list->items[i];
	return cause;
}
