/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a host: looked at, compared, replaced in one step. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "host/user.h"

struct host;

/* A link at the end of a path is never followed: the link itself is examined or replaced. */
int host_stat(struct host *h, const char *path, struct stat *ret, struct err *e) ATTR_MUST_USE;
/* 1: something is there; 0: nothing is; <0: error. For whoever takes absence as an answer. */
int host_lookup(struct host *h, const char *path, struct err *e) ATTR_MUST_USE;
/* False where looking fails, too: for whoever then does more, not less. */
bool host_exists(struct host *h, const char *path);
/* A link at its end is followed unless a user put it there. */
int host_read(struct host *h, const char *path, size_t max, struct arena *a, struct blob *ret,
              struct err *e) ATTR_MUST_USE;
/* Mode and owner of the file that host_read() reads there, for a host_write() that changes the content
 * alone; 0644 root:root where nothing is there. */
int host_read_attr(struct host *h, const char *path, unsigned *ret_mode,
                   struct host_owner *ret_owner, struct err *e) ATTR_MUST_USE;
/* 1: content, mode and owner are as asked; 0: not; <0: error. */
int host_file_is(struct host *h, const char *path, struct blob content, unsigned mode,
                 const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* Replaces atomically; creates missing parents 0755 root:root. Does nothing when host_file_is. */
int host_write(struct host *h, const char *path, struct blob content, unsigned mode,
               const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* As host_write, with the content of a regular file outside the host, of any size: holes stay holes.
 * Of a file copied by a dry host host_read() doesn't know the content. */
int host_copy(struct host *h, const char *path, int from_dir, const char *from_name, unsigned mode,
              const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* As host_write, but the content never reaches the recorder, not even as a digest. */
int host_write_secret(struct host *h, const char *path, struct blob content, unsigned mode,
                      const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* An existing directory gets this mode and owner. */
int host_dir_is(struct host *h, const char *path, unsigned mode, const struct host_owner *o,
                struct err *e) ATTR_MUST_USE;
int host_mkdir(struct host *h, const char *path, unsigned mode, const struct host_owner *o,
               struct err *e) ATTR_MUST_USE;
/* For a directory that other programs change by its path: an error if a user could put something
 * into it, or exchange it or one on the way. Where it is missing the nearest one above counts. */
int host_dir_closed(struct host *h, const char *path, struct err *e) ATTR_MUST_USE;
/* 1: a link with exactly this text; 0: anything else, or missing; <0: error. */
int host_link_is(struct host *h, const char *path, const char *target, struct err *e) ATTR_MUST_USE;
int host_symlink(struct host *h, const char *target, const char *path, struct err *e) ATTR_MUST_USE;
/* Removes a file, link or empty directory; a missing one is fine. */
int host_remove(struct host *h, const char *path, struct err *e) ATTR_MUST_USE;
