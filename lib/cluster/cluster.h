/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the cluster's document to one node's spec: a map of sections for plan_build().
 *
 * The document is either an AWS ParallelCluster 3 cluster-config.yaml, unchanged, or our own
 * sections with `roles:` overrides: a role's map is laid over the common one key by key, its list
 * is added to the common one, a scalar replaces it. What the document leaves out is taken from the
 * node document: hostname from `node`, munge from `munge-key`, slurm from `head`.
 *
 * A pure function of its inputs. The nodes it creates carry the place in the document they come
 * from.
 */
#pragma once

#include "data/faults.h"
#include "data/vars.h"
#include "model/instance.h"
#include "pcluster/cluster_notes.h"
#include "pcluster/cluster_role.h"

/* How to read a document; all zero is how a node reads its own. */
struct cluster_reading {
	struct faults *faults;       /* faults.h; NULL: stop at the first fault */
	struct cluster_notes *notes; /* NULL: notes are not wanted */
	/* A key that this version doesn't know is a fault; otherwise it is a note, as a newer
	 * ParallelCluster may have it. So is what ParallelCluster wouldn't create, though it can be
	 * carried out. Only for ParallelCluster's files: ours have no such keys. */
	bool strict;
	const struct instance_table *types; /* for role head; NULL: no instance type is known */
	/* The head is somebody else's to make, as ParallelCluster does: what this version doesn't do
	 * or know of a head is a note here. NULL: it is a fault. */
	struct cluster_notes *shortfalls;
	/* The reader is not the node itself: a value that only the node can know becomes a note,
	 * and a sample value is used. */
	bool elsewhere;
};

/*
 * Besides `node` these facts are used: "slurm-prefix" (where Slurm is installed; then /opt/slurm
 * isn't mounted), "region" and "dns-suffix" (names of EFS and FSx servers),
 * "tag.parallelcluster:queue-name" and "tag.parallelcluster:compute-resource-name"; for role head
 * those of pcluster_head().
 */
int cluster_spec(const struct doc *config, const struct cluster_node *node,
                 const struct vars *facts, const struct cluster_reading *reading, struct arena *a,
                 struct doc **ret, struct err *e) ATTR_MUST_USE;

/*
 * What cluster_spec() looks at first in a ParallelCluster file, for whoever wants no sections of it:
 * keys, types, and rules between them.
 */
int cluster_check(const struct doc *config, const struct cluster_reading *reading, struct arena *a,
                  struct err *e) ATTR_MUST_USE;

/* The region and the limit for a node's start that the document itself sets: NULL and 0 if it
 * doesn't. */
const char *cluster_region(const struct doc *config);
uint64_t cluster_timeout_ms(const struct doc *config, enum cluster_role role);

/*
 * Parses a cluster's text, YAML or JSON. A ParallelCluster file is parsed as ParallelCluster does
 * and marked foreign (doc.h); ours has no anchors, aliases, merge keys or tags.
 */
int cluster_read(const char *file, struct blob text, struct arena *a, struct doc **ret,
                 struct err *e) ATTR_MUST_USE;
