/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of hpc-imagebuild: its options, for base/command.h. */
#pragma once

#include "base/command.h"

/* Which verbs take an option. */
enum verb_bit {
	VERB_CHECK = 1 << 0,
	VERB_PLAN = 1 << 1,
	VERB_VERSION = 1 << 2,
};

struct options {
	struct command_line line;
	struct command_list set; /* NAME=VALUE */
	bool json, quiet, verbose;
};

extern const struct command_option option_table[];
