/* SPDX-License-Identifier: Apache-2.0 */
/* ParallelCluster's cluster-config.yaml to sections; see cluster.h for what goes in. */
#pragma once

#include "cluster/cluster_role.h"
#include "data/vars.h"

/* `config` has passed pcluster_check(). Adds sections to the map `spec`. */
int pcluster_spec(const struct doc *config, const struct cluster_node *node,
                  const struct vars *facts, struct arena *a, struct doc *spec,
                  struct err *e) ATTR_MUST_USE;

/*
 * The queue this node belongs to: by the instance tag parallelcluster:queue-name, else by its name
 * "<queue>-<st|dy>-<compute resource>-<n>", where the longest queue name that fits wins. NULL when
 * neither tells.
 */
const struct doc *pcluster_queue(const struct doc *config, const struct cluster_node *node,
                                 const struct vars *facts);

/* pcluster_storage.c: the `mounts:` of SharedStorage and of the head node's exports. */
int pcluster_mounts(const struct doc *config, const struct cluster_node *node,
                    const struct vars *facts, struct arena *a, struct doc *mounts,
                    struct err *e) ATTR_MUST_USE;
