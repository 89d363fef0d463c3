/* SPDX-License-Identifier: Apache-2.0 */
/* The table of AWS partitions. */
#include "cloud/partition.h"

#include <string.h>

#include "base/attr.h"
#include "base/str.h"

/* Longer prefixes of one family come first: "us-gov-" before "us-". */
static const struct partition partitions[] = {
        {"aws-us-gov", "amazonaws.com", "us-gov-"},
        {"aws-iso", "c2s.ic.gov", "us-iso-"},
        {"aws-iso-b", "sc2s.sgov.gov", "us-isob-"},
        {"aws-iso-e", "cloud.adc-e.uk", "eu-isoe-"},
        {"aws-iso-f", "csp.hci.ic.gov", "us-isof-"},
        {"aws-eusc", "amazonaws.eu", "eusc-"},
        {"aws-cn", "amazonaws.com.cn", "cn-"},
        {"aws", "amazonaws.com", "us- eu- ap- sa- ca- me- af- il- mx-"},
};

static bool has_prefix(const char *prefixes, const char *region)
{
	for (const char *p = prefixes; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (strncmp(region, p, len) == 0)
			return true;
		p += len;
	}
	return false;
}

const struct partition *partition_by_region(const char *region)
{
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
		if (has_prefix(partitions[i].prefixes, region))
			return &partitions[i];
	return NULL;
}

bool partition_region_valid(const char *region)
{
	size_t len = strlen(region);

	return len >= 3 && len <= 32 && region[0] != '-' && region[len - 1] != '-' &&
	       strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

bool partition_domain_valid(const char *domain)
{
	size_t len = strlen(domain);

	return len >= 4 && len <= 128 && domain[0] != '.' && domain[0] != '-' &&
	       domain[len - 1] != '.' && strchr(domain, '.') && !strstr(domain, "..") &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}
