/* SPDX-License-Identifier: Apache-2.0 */
/* What is installed in a tree, read from dpkg's database. */
#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct package {
	const char *name, *version, *arch;
	const char *source, *source_version; /* never NULL: a package may be its own source */
	const char *maintainer;              /* or NULL */
};

struct packages {
	const char *database;    /* "dpkg"; NULL: the tree has none that is known, and n is 0 */
	char sha256[SHA256_HEX]; /* of the database's bytes; "" without one */
	const char *distribution, *release; /* of os-release: "debian", "12"; NULL when not told */
	size_t n;
	struct package *items; /* by name, then architecture */
};

#define PACKAGES_STATUS_MAX (64 << 20) /* bytes of /var/lib/dpkg/status */

/* Only what is fully installed. `root` is a descriptor of the tree. */
int packages_read(int root, struct arena *a, struct packages *ret, struct err *e) ATTR_MUST_USE;

/* The first package of that name, or NULL. */
const struct package *packages_find(const struct packages *p, const char *name);
