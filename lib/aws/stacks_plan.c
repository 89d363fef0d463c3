/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of CloudFormation about change sets. */
#include "aws/stacks_plan.h"

#include <errno.h>
#include <stdio.h>

#include "aws/stacks_own.h"

#define PLAN_MAX 1000 /* resources; CloudFormation has 500 in a stack */

int stacks_plan_make(struct cloud *c, const struct stacks_request *q, const char *plan,
                     struct arena *a, const char **ret_id, uint64_t deadline, struct err *e)
{
	struct stacks_form f = stacks_form(a, "CreateChangeSet");
	const struct doc *result;

	snprintf(f.doing, sizeof f.doing, "asking what would change of stack '%.128s'", q->name);
	stacks_put_request(&f, q);
	query_put(&f.body, "ChangeSetName", plan);
	query_put(&f.body, "ChangeSetType", "UPDATE");
	int r = stacks_call(c, &f, &result, deadline, e);
	return r < 0 ? r : stacks_id_of(&f, result, "Id", ret_id, e);
}

static const char *text(const struct doc *d, const char *key)
{
	const char *found = doc_text(d, key);

	return found ? found : "";
}

static int take_steps(struct arena *a, const struct doc *list, struct stacks_plan *all,
                      struct err *e)
{
	for (size_t i = 0; list && list->type == DOC_LIST && i < list->n; i++) {
		const struct doc *d = doc_get(list->items[i], "ResourceChange");

		if (all->n == PLAN_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
			               "a change of more than %d resources", PLAN_MAX);
		all->steps = arena_grow(a, all->steps, &all->n, sizeof *all->steps);
		all->steps[all->n - 1] =
		        (struct stacks_step){.logical = text(d, "LogicalResourceId"),
		                             .physical = text(d, "PhysicalResourceId"),
		                             .type = text(d, "ResourceType"),
		                             .action = text(d, "Action"),
		                             .replacement = text(d, "Replacement")};
	}
	return 0;
}

int stacks_plan_look(struct cloud *c, const char *id, struct arena *a, struct stacks_plan *ret,
                     uint64_t deadline, struct err *e)
{
	struct stacks_plan all = {0};
	const char *token = NULL;

	do {
		struct stacks_form f = stacks_form(a, "DescribeChangeSet");
		const struct doc *result;

		snprintf(f.doing, sizeof f.doing, "looking at the change");
		query_put(&f.body, "ChangeSetName", id);
		query_put(&f.body, "NextToken", token);
		int r = stacks_call(c, &f, &result, deadline, e);
		if (r < 0)
			return r;
		r = take_steps(a, doc_get(result, "Changes"), &all, e);
		if (r < 0)
			return r;
		all.status = text(result, "Status");
		all.reason = text(result, "StatusReason");
		token = doc_text(result, "NextToken");
	} while (token);
	*ret = all;
	return 0;
}

int stacks_plan_run(struct cloud *c, const char *id, const char *token, uint64_t deadline,
                    struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct stacks_form f = stacks_form(a, "ExecuteChangeSet");

	snprintf(f.doing, sizeof f.doing, "carrying out the change");
	query_put(&f.body, "ChangeSetName", id);
	query_put(&f.body, "ClientRequestToken", token);
	return stacks_call(c, &f, NULL, deadline, e);
}

int stacks_plan_drop(struct cloud *c, const char *stack, const char *plan, uint64_t deadline,
                     struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct stacks_form f = stacks_form(a, "DeleteChangeSet");

	snprintf(f.doing, sizeof f.doing, "dropping the change");
	query_put(&f.body, "StackName", stack);
	query_put(&f.body, "ChangeSetName", plan);
	int r = stacks_call(c, &f, NULL, deadline, e);
	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	return r;
}
