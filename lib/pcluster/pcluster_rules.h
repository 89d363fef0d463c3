/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between the keys of a ParallelCluster file, for those that the nodes and the head follow from. */
#pragma once

#include "data/doc.h"
#include "data/faults.h"
#include "pcluster/cluster_notes.h"

#define PCLUSTER_TIMEOUT_MAX_S (7 * 24 * 3600) /* for a node's start */
#define PCLUSTER_IDLE_MAX_MIN  35791           /* as seconds it is what Slurm can count to */

/* The uid of the default user where it has to be made. */
#define PCLUSTER_DEFAULT_UID 60000

/*
 * Duplicates, settings for another StorageType, directories that can't be mount points. What
 * ParallelCluster's own checks refuse, beyond its schema, and nodes can be made of becomes a note in
 * `shortfalls`; NULL: a fault. The document needn't have passed pcluster_check().
 */
int pcluster_rules(const struct doc *config, struct cluster_notes *shortfalls,
                   struct faults *faults, struct arena *a, struct err *e) ATTR_MUST_USE;

/* pcluster_user_rules.c: users of HpcNode whose name, id or key no machine takes, or that are given
 * twice. Called by pcluster_rules(). */
int pcluster_user_rules(const struct doc *config, struct faults *faults,
                        struct err *e) ATTR_MUST_USE;
/* One line as ssh-keygen writes it: "TYPE BASE64 [COMMENT]". */
bool pcluster_is_public_key(const char *text);
