/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line as Python's argparse reads it, which ParallelCluster's commands are written for: options
 * only, "--name VALUE" or "--name=VALUE", or an unambiguous beginning of the name; some take several
 * values. What isn't understood is refused in argparse's words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/command.h"

enum arguments_kind {
	ARGUMENTS_FLAG,   /* bool: no value */
	ARGUMENTS_SWITCH, /* bool: "true" or "false" */
	ARGUMENTS_TEXT,   /* const char * */
	ARGUMENTS_MANY,   /* struct command_list */
};

struct arguments_row {
	const char *name;
	char letter; /* 0: none */
	enum arguments_kind kind;
	unsigned commands, required; /* bits of those that take it, and that need it */
	size_t offset;
	const char *const *choices; /* NULL-terminated, or NULL */
};

struct arguments_command {
	const char *name;
	unsigned bit; /* 0: ParallelCluster has it, and it isn't carried out here */
	bool extra;   /* what it doesn't know is somebody else's */
};

struct arguments {
	const struct arguments_command *command; /* NULL: --help of all */
	bool help;
	size_t n_extra;
	const char **extra; /* NULL-terminated */
};

/* Returns an exit status: 0; or argparse's 2 with *ret_words for standard error; or 1 with words for standard
 * output, as ParallelCluster has it of what argparse leaves over and of values. */
int arguments_parse(const struct arguments_command *commands, const struct arguments_row *rows,
                    int argc, char **argv, struct arena *a, void *into, struct arguments *ret,
                    const char **ret_words);
