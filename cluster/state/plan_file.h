/* SPDX-License-Identifier: Apache-2.0 */
/* A ParallelCluster file as the verbs need it: read, checked in all that its nodes would refuse. */
#pragma once

#include "cluster/cluster.h"
#include "model/model.h"
#include "state/state.h"

#define PLAN_FILE_TYPES "share/hpc-cluster/instance-types.tsv" /* the package's own */
#define PLAN_FILE_MAX   (1UL << 20)                            /* as the agent's */

struct plan_file {
	const struct doc *config;
	struct model model;
	struct instance_table types; /* all that are known */
	struct blob text;
	char sha256[SHA256_HEX]; /* of the file's bytes */
};

/* All faults go to `faults`, remarks to `notes`; everything lives in the program's arena. Options that name what can't be are refused first. */
int plan_file_read(struct life *l, const char *name, struct faults *faults,
                   struct cluster_notes *notes, struct plan_file *ret, struct err *e) ATTR_MUST_USE;
/* The same of a text that is no file yet; `name` is for messages. */
int plan_file_check(struct life *l, const char *name, struct blob text, struct faults *faults,
                    struct cluster_notes *notes, struct plan_file *ret,
                    struct err *e) ATTR_MUST_USE;
