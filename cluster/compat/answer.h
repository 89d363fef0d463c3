/* SPDX-License-Identifier: Apache-2.0 */
/* Private to compat: what a command is about, and how its answers and failures are printed. */
#pragma once

#include "life/life.h"

struct compat {
	struct life life; /* first */
	/* options */
	const char *query, *region, *token, *cluster, *node_type, *queue, *status, *config;
	const char *file, *level; /* of create-cluster and update-cluster */
	struct command_list suppressed;
	bool debug, dryrun, rollback;
	bool creates;
	bool unnoted; /* notes on the file are suppressed */
};

/* The types that answers have of what validation found: ours are one of faults, one of notes. */
#define ANSWER_FAULTS "ConfigSchemaValidator"
#define ANSWER_NOTES  "ConfigNoteValidator"

/* Prints answers, --query applied: nothing where that finds nothing, as ParallelCluster does. */
extern const struct life_voice answer_voice;

/* Prints {"message": ...}, in ParallelCluster's words where scripts look for them; returns 1. For
 * program_info.fail. */
int answer_failure(const struct program *p, const struct err *e);

/* The same as a line on standard error, for what isn't an operation of ParallelCluster's API. */
int answer_words(const struct program *p, const struct err *e);

/* Prints an object with that one member; returns `status`, or 1 where it can't be written. */
int answer_object(struct arena *a, const char *key, const char *value, int status);
