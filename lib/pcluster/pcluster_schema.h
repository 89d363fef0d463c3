/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AWS ParallelCluster 3 configuration file's schema, as far as names and types go.
 *
 * Every key of cluster-config.yaml is known here, so that a real file is never refused for a key
 * that is not about nodes; a value of the wrong type is refused with its place. An unknown key may
 * be a newer version's. Rules between keys that the schema has are in pcluster_rules.c and
 * pcluster_pairs.c; what asks AWS (whether a subnet is there, price limits) is for AWS. Source: "AWS ParallelCluster User Guide", Configuration files,
 * version 3.
 */
#pragma once

#include "data/faults.h"
#include "pcluster/cluster_notes.h"

/* Keys that are not in the table become notes, or faults where `unknown` is NULL. */
int pcluster_check(const struct doc *config, struct cluster_notes *unknown, struct faults *faults,
                   struct err *e) ATTR_MUST_USE;

/* True when the document looks like a ParallelCluster file: it has HeadNode or Scheduling at the
 * top. */
bool pcluster_is(const struct doc *d);
