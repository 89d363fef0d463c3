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
	bool below_done;       /* this is the second visit of a directory */
};

enum tree_next {
	TREE_GO,
	TREE_PRUNE, /* on a directory's first visit: don't enter it, no second visit */
};

/* TREE_GO, TREE_PRUNE, or -errno with *e filled, which ends the walk. The entry is gone after it
 * returns. */
typedef int tree_visit_fn(void *ctx, const struct tree_entry *at, struct err *e);

struct tree_walk {
	tree_visit_fn *visit;
	void *ctx;
	bool after;      /* visit a directory again after everything below it */
	bool one_fs;     /* leave out other file systems that are mounted inside */
	bool changing;   /* others remove entries meanwhile: missing ones are skipped */
	bool unreadable; /* what can't be read is skipped, a directory is then taken as empty */
	unsigned depth;  /* most levels; 0: TREE_DEPTH_MAX */
	size_t entries;  /* most entries; 0: TREE_ENTRIES_MAX */
};

/*
 * Visits everything below `dir`, but not dir itself. Returns what the visitor returned if it ended
 * the walk; else 0, or an error that names the entry: -ELOOP for too many levels and -EOVERFLOW for
 * too many entries, both ERR_HOST with REASON_INPUT_LIMIT.
 */
int tree_walk(int dir, const struct tree_walk *w, struct err *e);

/* Removes everything below `dir`, except mounts with one_fs (their mount points stay, which is an
 * error). Continues after a failure and returns the first one. */
int tree_empty(int dir, bool one_fs, struct err *e);

/* rm -rf of a name in dirfd, whatever it is. A missing one is fine. */
int tree_remove(int dirfd, const char *name, bool one_fs, struct err *e);
