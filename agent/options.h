/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one table of verbs, one of options. Parsing, --help, the man page's synopsis
 * check and the completion check all read these tables.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct agent;

/* Which verbs take an option: a bit each, in the order of the verb table. */
enum verb_bit {
	VERB_BOOTSTRAP = 1 << 0,
	VERB_PLAN = 1 << 1,
	VERB_STATUS = 1 << 2,
	VERB_CHECK = 1 << 3,
	VERB_FACTS = 1 << 4,
	VERB_FETCH = 1 << 5,
	VERB_EXPLAIN = 1 << 6,
	VERB_VERSION = 1 << 7,
};

struct verb {
	const char *name;
	enum verb_bit bit;
	const char *operands; /* "FILE", "[KIND|REASON]", "" */
	int min_operands, max_operands;
	const char *summary;
	int (*run)(struct agent *g); /* returns the exit status */
};

struct options {
	const struct verb *verb;
	const char *role, *config, *node, *head, *munge_key, *cluster, *root, *output, *sha256;
	uint64_t deadline_ms; /* 0: not given */
	bool json, dry_run, wait, quiet, verbose, help;
	int n_operands;
	char *const *operands;
};

extern const struct verb *const verbs; /* ends at name NULL; main.c */

/* Fills `ret` from argv; -EINVAL with a one-line error when it is not understood (exit status 2).
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *e) ATTR_MUST_USE;

/* All verbs, or one verb's options. */
void options_help(FILE *to, const struct verb *verb);
