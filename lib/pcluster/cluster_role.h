/* SPDX-License-Identifier: Apache-2.0 */
/* A node's role in its cluster, and what its node document says about it. */
#pragma once

#include "data/field.h"

enum cluster_role { CLUSTER_COMPUTE, CLUSTER_HEAD, CLUSTER_LOGIN };

/* What a head's node document says about the instances it launches: what the cluster's file leaves to a
 * stack. */
struct cluster_launch {
	const char *image, *profile, *key; /* NULL: nothing */
	const char *root_device;           /* the same */
	struct field_strings groups;
	const struct doc
	        *profiles;      /* map: queue -> its profile, instead of `profile`; NULL: none */
	const struct doc *node; /* further keys of their node documents; NULL: none */
};

/* What the node document says about this node; strings are NULL if it says nothing. */
struct cluster_node {
	enum cluster_role role;
	const char *node;              /* Slurm NodeName */
	const char *head;              /* address of the head node */
	const char *munge_key;         /* URI or ARN */
	const char *munge_key_default; /* used where neither document names one */
	const char *pool;              /* Name of its pool of login nodes */
	const char *dynamic; /* "Feature=x": register as a dynamic node with this configuration */
	const struct doc *storage;    /* map: SharedStorage Name -> file system id or NFS source */
	struct cluster_launch launch; /* of a head */
	/* Of a head: what its nodes' documents have in common with its own, but cluster and head; NULL:
	 * nothing. */
	const struct doc *shared;
};

/* The node document's map `fleet`; NULL: nothing is said. */
int cluster_launch_decode(const struct doc *map, struct arena *a, struct cluster_launch *ret,
                          struct err *e) ATTR_MUST_USE;
extern const struct field cluster_launch_fields[]; /* of it, for `explain` */

/* 0 and the role, or -EINVAL. */
int cluster_role_parse(const char *name, enum cluster_role *ret);
const char *cluster_role_name(enum cluster_role role);
