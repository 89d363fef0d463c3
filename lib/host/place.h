/* SPDX-License-Identifier: Apache-2.0 */
/* Places in a host's root: shared by host_file.c and host_dir.c; not for other floors. */
#pragma once

#include "host/host_own.h"

/* A path as given, normalised, and split in two. */
struct place {
	char path[HOST_PATH_MAX];
	char dir[HOST_PATH_MAX];
	const char *name; /* in path */
};
int place_at(const char *path, struct place *ret, struct err *e) ATTR_MUST_USE;

/* Opens the thing itself, never what a link at its end points to; -errno. */
int place_open(struct host *h, const char *path, int flags);
/* mkdirat(2) independent of the umask; -errno. */
int place_mkdirat(int dir, const char *name, mode_t mode);
/* Of the thing itself, not of a link's target; a dry host's assumptions come first. -errno. */
int place_stat(struct host *h, const char *path, struct stat *ret);
bool place_attr_is(const struct stat *st, mode_t type, unsigned mode, uid_t uid, gid_t gid);

/* host_owner_ids; but in a dry run the user may be created by an earlier change that was only
 * recorded: then the ids are -1. */
int place_owner_ids(struct host *h, const struct host_owner *o, uid_t *uid, gid_t *gid,
                    struct err *e) ATTR_MUST_USE;
/* "user:group", for the record. Returns out. */
const char *place_owner_text(const struct host_owner *o, char out[static 128]);

/* host_make_dirs for both modes, recorded as one line that names the deepest directory. */
int place_make_dirs(struct host *h, const char *path, struct err *e) ATTR_MUST_USE;
void place_assume_dir(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid);
