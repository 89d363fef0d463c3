/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of hpc-agent: its options, for base/command.h. */
#pragma once

#include "base/command.h"

/* Which verbs take an option. */
enum verb_bit {
	VERB_BOOTSTRAP = 1 << 0,
	VERB_PLAN = 1 << 1,
	VERB_STATUS = 1 << 2,
	VERB_CHECK = 1 << 3,
	VERB_FACTS = 1 << 4,
	VERB_FETCH = 1 << 5,
	VERB_EXPLAIN = 1 << 6,
	VERB_VERSION = 1 << 7,
	VERB_RENDER = 1 << 8,
};

struct options {
	const char *role, *config, *node, *head, *munge_key, *cluster, *root, *output, *sha256,
	        *node_document, *slurm;
	bool dry_run, wait, strict;
};

extern const struct command_option option_table[];
