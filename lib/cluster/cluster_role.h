/* SPDX-License-Identifier: Apache-2.0 */
/* A node's role in its cluster, and what its node document says about it. */
#pragma once

#include "data/doc.h"

enum cluster_role { CLUSTER_COMPUTE, CLUSTER_HEAD, CLUSTER_LOGIN };

/* What the node document says about this node; strings are NULL if it says nothing. */
struct cluster_node {
	enum cluster_role role;
	const char *node;              /* Slurm NodeName */
	const char *head;              /* address of the head node */
	const char *munge_key;         /* URI or ARN */
	const char *munge_key_default; /* used where neither document names one */
	const char *pool;              /* Name of its pool of login nodes */
	const char *dynamic; /* "Feature=x": register as a dynamic node with this configuration */
	const struct doc *storage; /* map: SharedStorage Name -> file system id or NFS source */
};

/* 0 and the role, or -EINVAL. */
int cluster_role_parse(const char *name, enum cluster_role *ret);
const char *cluster_role_name(enum cluster_role role);
