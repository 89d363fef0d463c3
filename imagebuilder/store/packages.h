/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packages installed in a tree, read from dpkg's database, or from rpm's with this machine's
 * rpm. Without an rpm here an rpm database is unknown, and a notice says so.
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

/* The bytes of a tree's rpmdb.sqlite; -ENOENT: it has none. */
int packages_rpm_database(int root, struct arena *a, struct blob *ret, struct err *e) ATTR_MUST_USE;

/*
 * What rpm reads of a database, which may be anybody's making: it gets a copy, and runs as nobody
 * when this process is root. -ENOENT: this machine has no rpm.
 */
/* Adds the packages, unsorted. */
int packages_rpm(struct blob database, struct arena *a, struct packages *p,
                 struct err *e) ATTR_MUST_USE;
/* All that packages shipped. */
struct packages_file {
	const char *package, *path;
	const char *digest; /* hex; which kind, its length tells; "": it is no regular file */
};
typedef void packages_file_fn(void *ctx, const struct packages_file *file);
int packages_rpm_files(struct blob database, packages_file_fn *file, void *ctx, struct arena *a,
                       struct err *e) ATTR_MUST_USE;
