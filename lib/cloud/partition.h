/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS partitions: separate clouds, each with its own domain. The metadata service names the
 * instance's partition; this table fills in what it leaves out. No entry is ever a default.
 */
#pragma once

#include <stdbool.h>

struct partition {
	const char *name;     /* "aws-cn" */
	const char *domain;   /* "amazonaws.com.cn" */
	const char *prefixes; /* of its regions, space separated */
};

const struct partition *partition_by_region(const char *region); /* or NULL */

bool partition_region_valid(const char *region); /* [a-z0-9-], 3 to 32, fit for a host name */
bool partition_domain_valid(const char *domain); /* at least two labels of [a-z0-9-] */
