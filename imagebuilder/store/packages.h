/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packages installed in a tree, read from dpkg's database, or from rpm's with this machine's
 * rpm, which reads a copy. Without an rpm here an rpm database is unknown, and a notice says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct package {
	const char *name, *version, *arch;
	const char *source, *source_version; /* never NULL: its own if it has none */
	const char *maintainer;              /* or NULL */
};

struct packages {
	const char *database;    /* "dpkg", "rpm"; NULL: none that can be read, and n is 0 */
	bool unread;             /* there is an rpm database, but no rpm here to read it */
	char sha256[SHA256_HEX]; /* of the database's bytes; "" without one */
	const char *distribution, *release; /* of os-release: "debian", "12"; NULL if missing */
	int64_t built;                      /* for rpm: build time of the newest package; else 0 */
	size_t n;
	struct package *items; /* by name, architecture, version */
};

#define PACKAGES_STATUS_MAX (64 << 20) /* bytes of /var/lib/dpkg/status */

/* Only fully installed packages. `root` is a descriptor of the tree. */
int packages_read(int root, struct arena *a, struct packages *ret, struct err *e) ATTR_MUST_USE;

/* The first package of that name, or NULL. */
const struct package *packages_find(const struct packages *p, const char *name);

/* The two possible places of rpm's database; ends with NULL. */
extern const char *const packages_rpm_paths[];
#define PACKAGES_RPM_MAX (512UL << 20) /* bytes of it */

/* Adds the packages in the bytes of an rpmdb.sqlite, unsorted. -ENOENT: this machine has no rpm. */
int packages_rpm(struct blob database, struct arena *a, struct packages *p,
                 struct err *e) ATTR_MUST_USE;
