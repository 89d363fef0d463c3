/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of hpc-imagebuild: its options, for base/command.h. */
#pragma once

#include "base/command.h"

/* Which verbs take an option. */
enum verb_bit {
	VERB_CHECK = 1 << 0,
	VERB_PLAN = 1 << 1,
	VERB_PROVISION = 1 << 2,
	VERB_SCHEMA = 1 << 3,
	VERB_VERSION = 1 << 4,
};

struct options {
	struct command_line line;
	struct command_list set; /* NAME=VALUE */
	const char *root;        /* NULL: this machine */
	uint64_t deadline_ms;    /* 0: not given */
	bool json, quiet, verbose;
};

extern const struct command_option option_table[];
