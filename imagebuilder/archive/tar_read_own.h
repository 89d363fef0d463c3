/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that unpack a tar: tar_judge.c, tar_make.c, tar_read.c. */
#pragma once

#include <limits.h>

#include "archive/tar_own.h"

/* A directory's attributes are set at the end: creating names in it changes its time and its
 * default ACL would apply to them. */
struct late {
	const char *path;
	struct archive_entry *entry;
};

struct untar {
	struct archive *archive;
	struct archive_entry *entry;
	const char *file; /* the tar's, for messages */
	int tree;
	uint64_t ceiling, bytes, entries, deadline;
	struct arena *arena;
	struct late *late;
	size_t n_late;
	char name[PATH_MAX];   /* of the entry, normalised: "etc/motd"; "" is the tree itself */
	char parent[PATH_MAX]; /* the directory that is open */
	int parent_fd;
};

/* tar_judge.c: errors about the entry at hand; each returns -errno. */
int untar_refuse(const struct untar *u, struct err *e, const char *why);
int untar_failed(const struct untar *u, int no, struct err *e);
/* libarchive's own, about what it read. */
int untar_unreadable(const struct untar *u, struct err *e);
int untar_late(const struct untar *u, struct err *e);

/* Normalises a name: removes '/' at both ends, '//' and '.'; refuses '..'. */
int untar_tidy(struct untar *u, const char *raw, char out[static PATH_MAX],
               struct err *e) ATTR_MUST_USE;
/* Checks everything that is known before the entry is written, and sets u->name. */
int untar_judge(struct untar *u, struct err *e) ATTR_MUST_USE;

/* tar_make.c: an O_PATH descriptor of a directory of the tree, or -errno. Follows links as long as
 * they stay in the tree, the last name's too unless `nofollow` is O_NOFOLLOW. */
int untar_open(int tree, const char *path, int nofollow);
/* Opens the directory of the entry's name, and keeps it open, as the next entry is most likely in
 * it too. */
int untar_enter(struct untar *u, int *ret_dir, const char **ret_name, struct err *e) ATTR_MUST_USE;
/* Makes the entry there, without its attributes. */
int untar_make(struct untar *u, int dir, const char *name, struct err *e) ATTR_MUST_USE;
int untar_link(struct untar *u, int dir, const char *name, const char *target,
               struct err *e) ATTR_MUST_USE;
