/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets of EC2, in the session's region. */
#pragma once

#include "cloud/cloud.h"

#define SUBNETS_MAX 200 /* of one call */

struct subnets_item {
	const char *id, *vpc, *zone;
	uint64_t free; /* addresses */
};
struct subnets {
	size_t n;
	struct subnets_item *items;
};

/* DescribeSubnets of these, each once. One that doesn't exist is ERR_ABSENT. */
int subnets_list(struct cloud *c, const char *const *ids, size_t n, struct arena *a,
                 struct subnets *ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;
