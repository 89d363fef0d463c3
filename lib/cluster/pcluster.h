/* SPDX-License-Identifier: Apache-2.0 */
/* ParallelCluster's cluster-config.yaml to sections; see cluster.h for what goes in. */
#pragma once

#include "cluster/cluster_notes.h"
#include "cluster/cluster_role.h"
#include "data/faults.h"
#include "data/vars.h"

/* What the translation reads; `config` has passed pcluster_check() and pcluster_rules(). */
struct pcluster_input {
	const struct doc *config;
	const struct cluster_node *node;
	const struct vars *facts;
	struct cluster_notes *notes; /* may be NULL */
	bool elsewhere;              /* as in struct cluster_reading */
	struct arena *arena;
};

/* Adds sections to the map `spec`. */
int pcluster_spec(const struct pcluster_input *in, struct doc *spec, struct err *e) ATTR_MUST_USE;

/*
 * The queue this node belongs to: by the instance tag parallelcluster:queue-name, else by its name
 * "<queue>-<st|dy>-<compute resource>-<n>", where the longest queue name that fits wins. NULL when
 * neither tells.
 */
const struct doc *pcluster_queue(const struct pcluster_input *in);
/* Its compute resource in that queue, found likewise. */
const struct doc *pcluster_resource(const struct pcluster_input *in, const struct doc *queue);

/* pcluster_storage.c: the `mounts:` of SharedStorage and of the head node's exports. */
int pcluster_mounts(const struct pcluster_input *in, struct doc *mounts,
                    struct err *e) ATTR_MUST_USE;
/* A MountDir in one spelling: it may lack its leading slash and have more than it needs. */
const char *pcluster_dir(const char *dir, struct arena *a);

/* pcluster_rules.c: duplicates, settings of another type, directories that can't be mounted at. The
 * document needn't have passed pcluster_check(). */
int pcluster_rules(const struct doc *config, struct faults *faults, struct arena *a,
                   struct err *e) ATTR_MUST_USE;

/* pcluster_settings.c: what a queue's proxy and multithreading settings come to; and a note of each
 * setting that this version doesn't carry out. */
void pcluster_settings(const struct pcluster_input *in, const struct doc *queue, struct doc *spec);
/* The variables that tell programs of the proxy, for scripts; NULL: there is none. */
struct doc *pcluster_proxy_env(const struct pcluster_input *in, const struct doc *queue);
