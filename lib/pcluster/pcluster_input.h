/* SPDX-License-Identifier: Apache-2.0 */
/* What translating a ParallelCluster file, and making a model of it, start from, and what both ask of it. */
#pragma once

#include "data/faults.h"
#include "data/vars.h"
#include "model/instance.h"
#include "pcluster/cluster_notes.h"
#include "pcluster/cluster_role.h"

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

/* The i-th of a list of strings, which may be written as one string; NULL behind the last. */
const struct doc *pcluster_item(const struct doc *strings, size_t i);
/* Whether /home is one for all nodes: unless HpcNode: SharedHome says otherwise. */
bool pcluster_shares_home(const struct pcluster_input *in);
/* Where the node's Slurm is; NULL: in /usr, if need be once it is installed. */
const char *pcluster_prefix(const struct pcluster_input *in);
/* Whether the node has apt: by the fact 'distribution', else by Image.Os. */
bool pcluster_has_apt(const struct pcluster_input *in);
/* The normal form of a MountDir: the leading slash may be missing, and there may be too many
 * slashes. */
const char *pcluster_dir(const char *dir, struct arena *a);
/* Whether a SharedStorage has that directory, whoever serves it. */
bool pcluster_storage_at(const struct pcluster_input *in, const char *dir);
/* Whether what the head would serve itself is on a file system of EFS: SharedStorageType. */
bool pcluster_head_efs(const struct pcluster_input *in);
