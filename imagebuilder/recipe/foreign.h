/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `pcluster build-image` reads in place of a recipe: ParallelCluster's image configuration, as
 * far as it says what is done to a machine.
 */
#pragma once

#include "cluster/cluster_notes.h"
#include "plan/plan.h"
#include "recipe/component.h"

struct foreign {
	const struct doc *config;
	struct component_list update; /* UpdateOsPackages; n 0: it is off */
	struct plan plan;             /* of the components, in their order */
	struct vars facts;            /* that they are run with */
	struct cluster_notes notes;   /* what is left out, one a line of the file */
};

/* 1: the file is one, and *ret is filled. 0: it is something else, or can't be read, which its own
 * reader tells. <0: it is one with a fault. `faults` may be NULL. */
int foreign_read(const char *path, struct faults *faults, struct arena *a, struct foreign *ret,
                 struct err *e) ATTR_MUST_USE;
