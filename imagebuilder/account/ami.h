/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verbs about a published AMI. */
#pragma once

#include "account/account.h"
#include "aws/ec2.h"

/* Runs a function with a cloud, for an AMI that is the first operand; returns an exit status. */
int ami_verb(struct image *g, int (*run)(struct image *g, struct cloud *c, struct err *e));

/* The image as EC2 describes it; ERR_ABSENT if this account has none with that id. */
int ami_find(struct image *g, struct cloud *c, const char *id, const struct doc **ret,
             struct err *e) ATTR_MUST_USE;
