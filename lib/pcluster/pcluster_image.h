/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AWS ParallelCluster 3 build image configuration file: what `pcluster build-image` reads.
 *
 * Where the machine comes from and goes to (InstanceType, SubnetId, Iam, Image, ...) is decided by
 * whoever starts it; changes to the machine are UpdateOsPackages and Components. Source: "AWS
 * ParallelCluster User Guide", Build image configuration files.
 */
#pragma once

#include "data/doc.h"
#include "data/faults.h"
#include "pcluster/cluster_notes.h"

struct pcluster_image {
	bool update_os;
	const struct doc *sections; /* of steps for plan_build: the components that are scripts */
	struct faults lacks;        /* what a machine made so lacks, one for each such part */
};

/* True when it looks like one: it has Build at the top. */
bool pcluster_image_is(const struct doc *d);

/* Settings that are ignored become notes, and so does what the machine lacks: parts that nobody here
 * can install, and components that are ARNs, whose documents only AWS has. `faults` and `notes` may
 * both be NULL. */
int pcluster_image_read(const struct doc *config, struct cluster_notes *notes,
                        struct faults *faults, struct arena *a, struct pcluster_image *ret,
                        struct err *e) ATTR_MUST_USE;
