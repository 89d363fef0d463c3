/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section `fleet` (slurm/fleet.c) that a ParallelCluster file makes of a head: for each compute
 * resource its types, each in each of its queue's subnets, in the file's order, and what instances are
 * launched with. Launch parameters that the file leaves to a stack are those of the node document
 * (cluster_role.h). Facts: "config", and "fleet-program" where hpc-fleet is installed.
 */
#pragma once

#include "cluster/pcluster_own.h"
#include "model/model.h"

/* The section; NULL, and a note: nothing in it could be launched. */
int pcluster_fleet(const struct pcluster_input *in, const struct model *m, struct doc **ret,
                   struct err *e) ATTR_MUST_USE;

/* Adds it to a head's spec where hpc-fleet is installed or a package to install; else a note says that it
 * is not. */
int pcluster_fleet_section(const struct pcluster_input *in, const struct model *m, struct doc *spec,
                           struct err *e) ATTR_MUST_USE;
