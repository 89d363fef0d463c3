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

#include "cluster/cluster_role.h"
#include "data/faults.h"
#include "data/vars.h"

/*
 * `faults` as in data/faults.h. Facts used beside `node`: "slurm-prefix" (where Slurm is installed;
 * then /opt/slurm isn't mounted), "region" and "dns-suffix" (names of EFS and FSx servers),
 * "tag.parallelcluster:queue-name".
 */
int cluster_spec(const struct doc *config, const struct cluster_node *node,
                 const struct vars *facts, struct faults *faults, struct arena *a, struct doc **ret,
                 struct err *e) ATTR_MUST_USE;

/*
 * The document of a cluster's text, YAML or JSON. A ParallelCluster file is read as its own program
 * reads it and marked foreign (doc.h); ours has no anchors, aliases, merge keys or tags.
 */
int cluster_read(const char *file, struct blob text, struct arena *a, struct doc **ret,
                 struct err *e) ATTR_MUST_USE;
