/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/cluster: the parts that the translation of a ParallelCluster file is made of. */
#pragma once

#include "pcluster/pcluster_input.h"
#include "pcluster/pcluster_rules.h"

/* pcluster_section.c: the list `name` of it, added where it is missing. */
struct doc *pcluster_section(const struct pcluster_input *in, struct doc *spec, const char *name);

/*
 * pcluster_head.c: the sections that only a head has: its files, exports, the controller. Facts:
 * those of pcluster_model.h, and "slurm-version", the release of its slurmctld; elsewhere it may be
 * unknown, and a key of slurm.conf is right that some release has.
 */
int pcluster_head(const struct pcluster_input *in, struct doc *spec, struct err *e) ATTR_MUST_USE;

/*
 * The queue this node belongs to: by the instance tag parallelcluster:queue-name, else by its name
 * "<queue>-<st|dy>-<compute resource>-<n>", of several that match one with
 * such a resource, then the longest. NULL if
 * neither tells.
 */
const struct doc *pcluster_queue(const struct pcluster_input *in);
/* Its compute resource in that queue, found in the same way. */
const struct doc *pcluster_resource(const struct pcluster_input *in, const struct doc *queue);

/* pcluster_login.c: the pool of LoginNodes that this node belongs to: by the node document, else by
 * the instance tag parallelcluster:login-nodes-pool, else the only one; NULL: the file has none. */
int pcluster_pool(const struct pcluster_input *in, const struct doc **ret,
                  struct err *e) ATTR_MUST_USE;
/* The section `login`, of a login node alone. */
void pcluster_login(const struct pcluster_input *in, struct doc *spec);

/* pcluster_storage.c: the `mounts:` of SharedStorage and of the head node's exports. */
int pcluster_mounts(const struct pcluster_input *in, struct doc *mounts,
                    struct err *e) ATTR_MUST_USE;

/* pcluster_storage.c: what the node document's `storage` or an instance tag says of that name; NULL: nothing. */
const char *pcluster_storage_source(const struct pcluster_input *in, const char *name);

/* pcluster_volumes.c: the `volumes:` of compute nodes and heads. What a head keeps on its state volume, if
 * `storage` has one by this name, becomes mounts. To be called when the head's sections are known. */
#define PCLUSTER_STATE "hpc-state"
void pcluster_volumes(const struct pcluster_input *in, const struct doc *of, struct doc *spec);

/* pcluster_directory.c: the section `directory` that DirectoryService makes of every node. */
void pcluster_directory(const struct pcluster_input *in, struct doc *spec);

/* pcluster_packages.c: what HpcNode: Packages: installs. To be called when the mounts are known. */
void pcluster_packages(const struct pcluster_input *in, struct doc *spec);

/* pcluster_users.c: the accounts of HpcNode's users, the same on each node, and the default user that
 * Image: Os: implies; their keys for SSH and their right to sudo. */
void pcluster_users(const struct pcluster_input *in, struct doc *spec);
/* Whether the default user's home is one of each node's own. */
bool pcluster_has_local_home(const struct doc *config);

/* The default user that Image: Os: implies, unless HpcNode: DefaultUser says that there is none; NULL: none. */
const char *pcluster_default_user(const struct pcluster_input *in);

/* pcluster_settings.c: the effect of the proxy and multithreading settings of a queue, a pool of login
 * nodes, or HeadNode; and a note for each setting that this version doesn't carry out. */
void pcluster_settings(const struct pcluster_input *in, const struct doc *of, struct doc *spec);
/* The proxy variables for the environment of scripts; NULL: there is no proxy. */
struct doc *pcluster_proxy_env(const struct pcluster_input *in, const struct doc *of);
