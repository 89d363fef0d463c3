/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks of CloudFormation made, changed and deleted. What these calls begin goes on at AWS: stacks.h shows
 * how it is. A token makes a call idempotent, and stands in the events that follow from it.
 */
#pragma once

#include "aws/ec2.h"
#include "cloud/cloud.h"
#include "data/doc.h"

#define STACKS_BODY_MAX 51200 /* bytes of a template in a request; a longer one needs an address */

struct stacks_value {
	const char *key, *value; /* NULL: as it was; of a change only */
};

/* What becomes of a stack that can't be made. */
enum stacks_failure {
	STACKS_DELETE,   /* it goes, with all that was made */
	STACKS_ROLLBACK, /* what was made goes, and the stack stays to be looked at */
	STACKS_KEEP,     /* all stays as it is */
};

struct stacks_request {
	const char *name;     /* of the stack; of a change its id, too */
	struct blob template; /* its text; or */
	const char *url;      /* where it is in S3, https://... */
	const struct stacks_value *parameters;
	size_t n_parameters;
	const struct ec2_tag *tags;
	size_t n_tags;
	bool iam;                       /* the template makes roles, and that is meant */
	enum stacks_failure on_failure; /* of CreateStack */
	const char *token;              /* [a-zA-Z0-9-]+, at most 128 */
};

/* CreateStack; the events of a stack that is gone are found by its id. A name that is taken
 * is ERR_DENIED, REASON_AWS_CONFLICT. */
int stacks_create(struct cloud *c, const struct stacks_request *q, struct arena *a,
                  const char **ret_id, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* DeleteStack, by the id. One that doesn't exist counts as deleted. */
int stacks_delete(struct cloud *c, const char *id, const char *token, uint64_t deadline,
                  struct err *e) ATTR_MUST_USE;
