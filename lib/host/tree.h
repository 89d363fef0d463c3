/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory trees: visited entry by entry, and removed.
 *
 * Every step goes by a directory's descriptor and a name. Symbolic links are visited, never
 * followed, not even when one takes a directory's place meanwhile. The entries of a directory come
 * in the order of their names (bytes), so two walks of one tree are alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define TREE_DEPTH_MAX   512       /* levels below the top; each holds a descriptor meanwhile */
#define TREE_ENTRIES_MAX (1 << 24) /* of one walk */

struct tree_entry {
	int dir;               /* the directory it is in, for the *at() calls */
	const char *name;      /* in dir */
	const char *path;      /* from the top: "a/b", no slash in front */
	const struct stat *st; /* of the entry itself, not of what a link leads to */
	unsigned depth;        /* 1: right below the top */
	bool below_done;       /* the second visit of a directory */
};

enum tree_next {
	TREE_GO,
	TREE_PRUNE, /* of a directory's first visit: don't enter it, and no second visit */
};

/* TREE_GO, TREE_PRUNE, or -errno with *e filled, which ends the walk. The entry is gone after it
 * returns. */
typedef int tree_visit_fn(void *ctx, const struct tree_entry *at, struct err *e);

struct tree_walk {
	tree_visit_fn *visit;
	void *ctx;
	bool after;      /* visit a directory again when all below it was visited */
	bool one_fs;     /* leave out what another file system is mounted on */
	bool changing;   /* others remove entries meanwhile: what is gone is left out */
	bool unreadable; /* what can't be looked at is left out, a directory then like an empty one */
	unsigned depth; /* most levels; 0: TREE_DEPTH_MAX */
	size_t entries; /* most entries; 0: TREE_ENTRIES_MAX */
};

/*
 * Visits all that is below `dir`, but not dir itself. What the visitor returned when it ended the
 * walk; else 0, or an error that names the entry: -ELOOP for too many levels and -EOVERFLOW for too
 * many entries, both ERR_HOST with REASON_INPUT_LIMIT.
 */
int tree_walk(int dir, const struct tree_walk *w, struct err *e);

/* Removes what is below `dir`, mounts left out with one_fs (their mount points stay, which is an
 * error). Goes on after a failure and returns the first one. */
int tree_empty(int dir, bool one_fs, struct err *e);

/* rm -rf of a name in dirfd, whatever it is. Absent is fine. */
int tree_remove(int dirfd, const char *name, bool one_fs, struct err *e);
