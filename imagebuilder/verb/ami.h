/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs about a published AMI share. */
#pragma once

#include "aws/ec2.h"
#include "verb/image.h"

/* Runs it with a cloud, for an AMI that is the first operand; an exit status. */
int ami_verb(struct image *g, int (*run)(struct image *g, struct cloud *c, struct err *e));

/* The image as EC2 tells it; ERR_ABSENT where this account has none of that id. */
int ami_find(struct image *g, struct cloud *c, const char *id, const struct doc **ret,
             struct err *e) ATTR_MUST_USE;
