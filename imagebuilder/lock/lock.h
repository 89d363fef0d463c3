/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock: exactly which packages the base of a recipe is made of, and which files its components
 * fetch, in RECIPE's name with .lock for its suffix. Written by `hpc-imagebuild lock`, kept with
 * the recipe, and used by `build` when it is there:
 *
 *     lock: 1
 *     from: "debian:bookworm"
 *     arch: "x86_64"
 *     asked: ["munge", "slurmd"]
 *     sources: ["deb http://deb.debian.org/debian bookworm main"]
 *     packages:
 *     - {name: "munge", version: "0.5.15-2", arch: "amd64", size: 26324, sha256: "..", url: ".."}
 *     files:
 *     - {uri: "s3://tools/mpi.tar.gz", sha256: ".."}
 *
 * `asked` are the recipe's packages, sorted; `sources` where their successors will come from, as
 * the image has them; `required: true` a package that is installed without being asked for. All strings
 * are the arena's of who read or resolved it.
 */
#pragma once

#include "base/digest.h"
#include "data/field.h"

#define LOCK_SUFFIX       ".lock"
#define LOCK_PACKAGES_MAX 4096
#define LOCK_FILES_MAX    1024

struct lock_package {
	const char *name, *version, *arch, *sha256, *url;
	uint64_t size; /* bytes */
	bool required;
};

struct lock_file {
	const char *uri, *sha256;
};

struct lock {
	const char *file; /* "" when it was not read from one */
	const char *from, *arch;
	struct field_strings asked, sources;
	size_t n;
	struct lock_package *packages; /* by name, then architecture */
	size_t n_files;
	struct lock_file *files; /* by address */
	char sha256[SHA256_HEX]; /* of the file */
	/* Where packages are that their archive no longer has, as the address of a snapshot service;
	 * NULL: nowhere. Of the one who uses the lock, not of its file. */
	const char *snapshot;
};

/* "dir/compute.yaml" to "dir/compute.lock". */
const char *lock_path(const char *recipe, struct arena *a);

/* Whether any machine can fetch a package from that address: http or https. */
bool lock_takes_url(const char *url);

int lock_read(const char *path, struct arena *a, struct lock *ret, struct err *e) ATTR_MUST_USE;
/* Replaces the file in one step; the same lock gives the same bytes. */
int lock_write(const struct lock *l, const char *path, struct err *e) ATTR_MUST_USE;

/* Checks that it is for that distribution, architecture and list of packages; else ERR_INPUT with
 * what to do. */
int lock_fits(const struct lock *l, const char *recipe, const char *from, const char *arch,
              const struct field_strings *asked, struct err *e) ATTR_MUST_USE;

/* Everything that decides the base, as lines of text; input.h compares them. Files belong to the
 * keys of their steps. */
void lock_key(const struct lock *l, struct strbuf *key);
