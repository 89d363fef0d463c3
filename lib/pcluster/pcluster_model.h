/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typed model (model/model.h) of a cluster that a ParallelCluster file describes: queues,
 * compute resources, accounting, exports.
 *
 * A pure function of the file, of what is known about instance types, and of the node document.
 * Facts that it uses: "cluster", "local-ipv4", "vpc-cidrs" (networks of the cluster, by blanks).
 */
#pragma once

#include "model/model.h"
#include "pcluster/pcluster_input.h"

/*
 * `in->config` has passed pcluster_check() and pcluster_rules(). Each type that
 * `in->types` lacks is a fault under REASON_INSTANCE_TYPE.
 */
int pcluster_model(const struct pcluster_input *in, struct model *ret, struct err *e) ATTR_MUST_USE;
