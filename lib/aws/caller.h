/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the credentials are, by the Security Token Service, version 2011-06-15. */
#pragma once

#include "cloud/cloud.h"

struct caller {
	const char *account; /* 12 digits */
	const char *arn;     /* of the user or the role's session */
};

/* GetCallerIdentity, which needs no right. Strings go to `a`. */
int caller_look(struct cloud *c, struct arena *a, struct caller *ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;
