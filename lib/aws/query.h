/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/aws: one call of a service that has the query protocol: a form is posted, XML comes
 * back. Source: "AWS Query protocol" of the Smithy specification.
 */
#pragma once

#include "aws/ec2_refusal.h"
#include "cloud/call.h"
#include "data/doc.h"

struct query_service {
	struct call_service at;
	const char *title; /* "EC2", for messages */
	/* What is configured, and the name of the setting; NULL: the region's own. */
	const char *(*configured)(const struct cloud *c, const char **ret_setting);
	const struct awserr_row *rows; /* its refusals */
};

/* Adds NAME=VALUE to a form; NULL isn't sent. */
void query_put(struct strbuf *form, const char *name, const char *value);

/* `doing` is what messages begin with; `region` NULL: the session's. A refusal is told in *why, too,
 * unless that is NULL. One of status 400 that is in no table means a bad request. `names`: what is
 * taken of the answer, as xml_parse_some() says. */
int query_call(struct cloud *c, const struct query_service *s, const char *region,
               const char *doing, const struct strbuf *form, const char *const *names,
               struct arena *a, struct doc **ret, struct ec2_refusal *why, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;
