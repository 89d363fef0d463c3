/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `pcluster build-image` reads instead of a recipe: ParallelCluster's image configuration, as
 * far as it describes changes to a machine.
 */
#pragma once

#include "component/component.h"
#include "pcluster/cluster_notes.h"
#include "plan/plan.h"

struct foreign {
	const struct doc *config;
	struct component_list update; /* UpdateOsPackages; n 0: it is off */
	struct plan plan;             /* of the components, in their order */
	struct vars facts;            /* used when they run */
	struct cluster_notes notes;   /* what is left out, one for each such line of the file */
	struct faults lacks;          /* of these, what the machine lacks then */
};

/* 1: the file is one, and *ret is filled. 0: it is something else, or can't be read, which its own
 * reader reports. <0: it is one with a fault. `faults` may be NULL. */
int foreign_read(const char *path, struct faults *faults, struct arena *a, struct foreign *ret,
                 struct err *e) ATTR_MUST_USE;
