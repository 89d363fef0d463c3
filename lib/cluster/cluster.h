/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the cluster's document to one node's spec: a map of sections for plan_build().
 *
 * The document is either an AWS ParallelCluster 3 cluster-config.yaml, unchanged, or our own
 * sections with `roles:` overrides: a role's map is laid over the common one key by key, its list
 * is added to the common one, a scalar replaces it. What the document leaves out, the node document
 * fills in: hostname from `node`, munge from `munge-key`, slurm from `head`.
 *
 * A pure function of its inputs. Nodes it makes carry the place in the document they come from.
 */
#pragma once

#include "cluster/cluster_notes.h"
#include "cluster/cluster_role.h"
#include "data/faults.h"
#include "data/vars.h"

/* How a document is read; all zero is how a node reads its own. */
struct cluster_reading {
	struct faults *faults;       /* faults.h; NULL: the first fault ends it */
	struct cluster_notes *notes; /* NULL: nobody wants to know */
	/* A key that this version doesn't know is a fault; else a note, as a newer ParallelCluster
	 * may have it. Of ParallelCluster's files only: ours have no such keys. */
	bool strict;
	/* It isn't the node that reads: what only the node can know is a note, and stood in for. */
	bool elsewhere;
};

/*
 * Facts used beside `node`: "slurm-prefix" (where Slurm is installed; then /opt/slurm isn't
 * mounted), "region" and "dns-suffix" (names of EFS and FSx servers),
 * "tag.parallelcluster:queue-name" and "tag.parallelcluster:compute-resource-name".
 */
int cluster_spec(const struct doc *config, const struct cluster_node *node,
                 const struct vars *facts, const struct cluster_reading *reading, struct arena *a,
                 struct doc **ret, struct err *e) ATTR_MUST_USE;

/* What the document itself says of the region and of the time that a node's start may take: NULL
 * and 0 where it says nothing. */
const char *cluster_region(const struct doc *config);
uint64_t cluster_timeout_ms(const struct doc *config);

/*
 * The document of a cluster's text, YAML or JSON. A ParallelCluster file is read as its own program
 * reads it and marked foreign (doc.h); ours has no anchors, aliases, merge keys or tags.
 */
int cluster_read(const char *file, struct blob text, struct arena *a, struct doc **ret,
                 struct err *e) ATTR_MUST_USE;
