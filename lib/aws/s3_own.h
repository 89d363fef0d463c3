/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/aws/s3*.c: a call for one object, or for a bucket's list. */
#pragma once

#include "aws/s3.h"
#include "cloud/call.h"
#include "http/transfer.h"

struct s3_object {
	const struct uri *uri;
	struct transfer *transfer; /* GET */
	char doing[300];
};

/* Sets up a call about o->uri; an empty key means the bucket. */
void s3_prepare(const struct cloud *c, struct call *k, struct s3_object *o, const char *verb);
int s3_run(struct cloud *c, struct call *k, uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* ERR_INPUT unless it is an s3:// URI. */
int s3_uri(const char *text, struct arena *a, struct uri *ret, struct err *e) ATTR_MUST_USE;
