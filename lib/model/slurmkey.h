/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of slurm.conf by the releases that have them, and which of them an administrator may not
 * set. slurmctld 22.05 ends at a key that it doesn't know, so that none may reach it.
 *
 * Names are compared without regard to case, as Slurm does. Source: the parser's tables of Slurm
 * 22.05.8, 24.11.5 and 26.05.5 (src/common/read_config.c), the releases between by their release
 * notes; where these leave open which of two releases brought a key, the later one counts.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "data/doc.h"

enum slurmkey_level {
	SLURMKEY_GLOBAL,    /* a line of its own */
	SLURMKEY_PARTITION, /* in a line PartitionName=... */
	SLURMKEY_NODE,      /* in a line NodeName=... */
};

/* 0 if that release of Slurm has the key, or any for SLURMVER_ANY; otherwise an error at `at` that says since when, until
 * when, or which key was perhaps meant. */
int slurmkey_check(enum slurmkey_level level, const char *key, unsigned version,
                   const struct doc *at, struct err *e) ATTR_MUST_USE;

/*
 * Whether ParallelCluster's file may set the key in CustomSlurmSettings at that level: what we write
 * ourselves it may not. `accounting`: those of the database are ours, too.
 * Source: aws-parallelcluster, validators/slurm_settings_validator.py.
 */
bool slurmkey_denied(enum slurmkey_level level, const char *key, bool accounting);
