/* SPDX-License-Identifier: Apache-2.0 */
/* The extended attributes of a file, ACLs and capabilities among them, but overlayfs's own. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

struct xattr {
	const char *name;
	struct blob value;
};

struct xattrs {
	size_t n;
	struct xattr *items; /* sorted by name */
};

/* Whether an attribute is the file's own: not one of overlayfs's. */
bool xattrs_takes(const char *name);

/* Reads those of a name in the directory, of a link itself. A file system without attributes has
 * none. 0 or -errno. */
int xattrs_read(int dir, const char *name, struct arena *a, struct xattrs *ret) ATTR_MUST_USE;

/* Sets one of a name in the directory, of a link itself. 0 or -errno. */
int xattrs_set(int dir, const char *name, const struct xattr *x) ATTR_MUST_USE;
