/* SPDX-License-Identifier: Apache-2.0 */
/* Private to stacks*.c: one call of CloudFormation's query protocol, version 2010-05-15. */
#pragma once

#include "aws/query.h"
#include "aws/stacks_change.h"

struct stacks_form {
	struct arena *arena;
	const char *action;
	struct strbuf body;
	char doing[200]; /* what messages begin with; the action, until somebody says more */
};

struct stacks_form stacks_form(struct arena *a, const char *action);

/* *ret, which may be NULL: the answer's ...Result, NULL where it has none. A stack that doesn't exist is
 * ERR_ABSENT; a refusal for want of rights names the right. */
int stacks_call(struct cloud *c, struct stacks_form *f, const struct doc **ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;

/* The template, parameters, tags and capabilities. */
void stacks_put_request(struct stacks_form *f, const struct stacks_request *q);
/* An ARN of the answer's. */
int stacks_id_of(const struct stacks_form *f, const struct doc *result, const char *name,
                 const char **ret, struct err *e) ATTR_MUST_USE;
