/* SPDX-License-Identifier: Apache-2.0 */
/* What translating a ParallelCluster file, and making a model of it, start from. */
#pragma once

#include "cluster/cluster_notes.h"
#include "cluster/cluster_role.h"
#include "data/faults.h"
#include "data/vars.h"
#include "model/instance.h"

/* The input of the translation; `config` has passed pcluster_check() and pcluster_rules(). */
struct pcluster_input {
	const struct doc *config;
	const struct cluster_node *node;
	const struct vars *facts;
	const struct instance_table *types; /* for a head; NULL: none is known */
	struct faults *faults;              /* may be NULL */
	struct cluster_notes *notes;        /* may be NULL */
	struct cluster_notes *shortfalls;   /* as in struct cluster_reading */
	bool elsewhere, strict;             /* as in struct cluster_reading */
	struct arena *arena;
};

static inline bool pcluster_is_head(const struct pcluster_input *in)
{
	return in->node->role == CLUSTER_HEAD;
}
