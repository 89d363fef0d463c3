/* SPDX-License-Identifier: Apache-2.0 */
/* The extended attributes of a file, including ACLs and capabilities, but
 * without overlayfs's own. */
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

/* True if an attribute is the file's own, not one of overlayfs's. */
bool xattrs_takes(const char *name);

/* Reads the attributes of a name in the directory; of a link itself, not of its target. A file
 * system without attributes gives none. 0 or -errno. */
int xattrs_read(int dir, const char *name, struct arena *a, struct xattrs *ret) ATTR_MUST_USE;

/* Sets an attribute of a name in the directory; of a link itself, not of its target.
 * 0 or -errno. */
int xattrs_set(int dir, const char *name, const struct xattr *x) ATTR_MUST_USE;
