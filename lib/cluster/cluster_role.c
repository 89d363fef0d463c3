/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of a cluster's nodes by name. */
#include "cluster/cluster_role.h"

#include <errno.h>

static const char *const role_names[] = {
        [CLUSTER_COMPUTE] = "compute",
        [CLUSTER_HEAD] = "head",
        [CLUSTER_LOGIN] = "login",
};

int cluster_role_parse(const char *name, enum cluster_role *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(role_names); i++)
		if (str_eq(name, role_names[i])) {
			*ret = (enum cluster_role)i;
			return 0;
		}
	return -EINVAL;
}

const char *cluster_role_name(enum cluster_role role)
{
	return role_names[role];
}
