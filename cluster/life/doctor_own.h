/* SPDX-License-Identifier: Apache-2.0 */
/* Private to doctor*.c: what is looked at, and what was found. */
#pragma once

#include "state/plan_file.h"

struct doctor_finding {
	const char *level; /* "fault", "unknown" */
	const char *text;
};

struct doctor {
	struct life *life;
	struct arena *arena;
	const struct doc *config;
	const struct doc *subnets, *routes, *endpoints; /* EC2's; NULL: they aren't known */
	size_t looked, n;
	struct doctor_finding *findings;
};

/* Something is wrong, or wasn't to be known. */
void doctor_fault(struct doctor *d, const char *fmt, ...) ATTR_PRINTF(2, 3);
void doctor_unknown(struct doctor *d, const struct err *e);

/* EC2's, or NULL where there is none. */
const struct doc *doctor_subnet(const struct doctor *d, const char *id);

/* doctor_way.c: whether what is in the subnet reaches S3, and EC2 where it is the head's. `outside`: its
 * instances have addresses of the internet. */
void doctor_way(struct doctor *d, const struct doc *subnet, bool head, bool outside);
