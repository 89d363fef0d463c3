/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Slurm's programs leave for the fleet: a directory of small files, each written whole or not
 * at all, read in the order they came. Who writes one returns at once; who reads one removes it
 * after what it asks for is in the journal. Only what people say is synced.
 *
 * A file is a line "VERB NODES" and after it what SLURM_RESUME_FILE had, slurm.conf(5),
 * ResumeProgram; its name is the time and the writer's process id.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define SPOOL_FILE_MAX  (4UL << 20) /* bytes of one */
#define SPOOL_FILES_MAX 1000        /* read at once; the rest comes next */

enum spool_verb {
	SPOOL_RESUME,
	SPOOL_SUSPEND,
	SPOOL_RESUME_FAIL, /* the last one that slurmctld says */
	SPOOL_START,
	SPOOL_STOP,
	SPOOL_RECONCILE,
	SPOOL_VERBS
};
extern const char *const spool_verbs[SPOOL_VERBS]; /* "resume", ... */

/* `nodes` "" where the verb has none; `jobs` empty: there was no such file. */
int spool_put(const char *dir, enum spool_verb verb, const char *nodes, struct blob jobs,
              struct err *e) ATTR_MUST_USE;

struct spool_item {
	const char *name; /* of the file */
	enum spool_verb verb;
	const char *nodes;
	struct blob jobs;
};
struct spool {
	size_t n;
	struct spool_item *items;
};

/* A file that isn't one of ours is removed, with a warning. */
int spool_read(const char *dir, struct arena *a, struct spool *ret, struct err *e) ATTR_MUST_USE;
int spool_done(const char *dir, const struct spool_item *item, struct err *e) ATTR_MUST_USE;
