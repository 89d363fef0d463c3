/* SPDX-License-Identifier: Apache-2.0 */
/* A change of a CloudFormation stack that is looked at before it is carried out: its change set. */
#pragma once

#include "aws/stacks_change.h"

struct stacks_step {
	const char *logical, *physical, *type; /* physical: "" of what isn't there yet */
	const char *action;                    /* "Add", "Modify", "Remove", ... */
	const char *replacement; /* of Modify: "True", "False", "Conditional"; or "" */
};
struct stacks_plan {
	const char *status; /* "CREATE_COMPLETE", "FAILED", ... */
	const char *reason; /* "" or why it failed */
	size_t n;
	struct stacks_step *steps;
};

/* CreateChangeSet named `plan`. One of that name that exists is REASON_AWS_CONFLICT. */
int stacks_plan_make(struct cloud *c, const struct stacks_request *q, const char *plan,
                     struct arena *a, const char **ret_id, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;
/* DescribeChangeSet, all pages. `id` is the plan's ARN. */
int stacks_plan_look(struct cloud *c, const char *id, struct arena *a, struct stacks_plan *ret,
                     uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* ExecuteChangeSet. */
int stacks_plan_run(struct cloud *c, const char *id, const char *token, uint64_t deadline,
                    struct err *e) ATTR_MUST_USE;
/* DeleteChangeSet, by the plan's name and its stack's. One that isn't there is none that is left. */
int stacks_plan_drop(struct cloud *c, const char *stack, const char *plan, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;
