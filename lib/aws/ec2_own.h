/* SPDX-License-Identifier: Apache-2.0 */
/* Private to ec2*.c and instances*.c: one call of EC2's query protocol, version 2016-11-15. */
#pragma once

#include "aws/ec2.h"
#include "aws/ec2_refusal.h"

struct ec2_form {
	struct arena *arena;
	struct strbuf body;
	char doing[200]; /* what messages begin with; the action, until ec2_doing() says more */
	const char *region;
	const char *const *names;    /* what is taken of the answer, xml_parse_some(); NULL: all */
	struct ec2_refusal *refusal; /* filled when EC2 refuses; NULL: nobody asks */
};

/* `region` NULL: the session's. */
struct ec2_form ec2_form(struct arena *a, const char *region, const char *action);
void ec2_doing(struct ec2_form *f, const char *what, const char *id);
void ec2_put(struct ec2_form *f, const char *name, const char *value); /* NULL: it isn't sent */
/* NAME.1, NAME.2, ... */
void ec2_put_list(struct ec2_form *f, const char *name, const char *const *items, size_t n);
void ec2_put_number(struct ec2_form *f, const char *name, uint64_t n);

/* The tags that what is made gets, if it is a `resource` ("instance"); `at` counts from 1. */
void ec2_put_tags(struct ec2_form *f, unsigned at, const char *resource, const struct ec2_tag *tags,
                  size_t n);

/* The answer in the form's arena; `ret` may be NULL. */
int ec2_call(struct cloud *c, struct ec2_form *f, struct doc **ret, uint64_t deadline,
             struct err *e) ATTR_MUST_USE;
