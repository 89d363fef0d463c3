/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowest layer of an image: what its recipe is `from`.
 *
 *   - a distribution like Debian: mmdebstrap, with the recipe's packages in the same run, from the
 *     recipe's sources or the apt sources of this machine that are for that release; or from a lock, without a network;
 *   - one of rpm packages: `dnf --installroot`, with the recipe's packages and the essential ones
 *     in the same run, from this machine's /etc/yum.repos.d/NAME*.repo, where NAME is the
 *     distribution's name for its own files ("redhat" for RHEL). Signatures are checked unless such
 *     a file has gpgcheck=0, which is logged as a warning; so is the script of a package that fails
 *     after the package was installed;
 *   - a tar: each entry is checked, then unpacked (archive/tar.h);
 *   - a directory: copied;
 *   - a raw disk: its root file system is read out of it (rawdisk.h).
 */
#pragma once

#include "lock/lock.h"
#include "recipe/recipe.h"
#include "store/store.h"

/* The fixed date of what must not differ between builds: times of generated files, shadow(5)'s
 * days. 2020-01-01. */
#define BASE_EPOCH_TEXT "1577836800"

struct base {
	const struct recipe *recipe;
	const struct lock *lock;       /* installed with the base, sorted; distributions only */
	struct field_strings packages; /* installed with the base, sorted; only
				        * for a distribution */
};

/*
 * Determines everything that decides the content and writes it to *key as text. What can't be built
 * here (another architecture, a release without sources, a missing tool) is an error that says what
 * to do about it.
 */
int base_plan(const struct recipe *r, const struct lock *lock, struct arena *a, struct base *ret,
              struct strbuf *key, struct err *e) ATTR_MUST_USE;

/* The recipe's sources; if it has none this machine's apt sources that are for its release, as lines
 * of sources.list(5), read through apt's own view of its configuration, whatever format that is in. */
int base_sources(const struct recipe *r, struct arena *a, struct field_strings *ret,
                 struct err *e) ATTR_MUST_USE;

/* True if the recipe's packages are installed with the base, so that no step installs them. */
bool base_brings_packages(const struct recipe *r);

/* True if a lock can pin those packages. */
bool base_locks(const struct recipe *r);

/* The sandbox job of that name that makes a base; NULL: there is none. */
struct sandbox_job;
const struct sandbox_job *base_job(const char *name);

/* Makes the tree in an empty directory. With a lock, its packages come from the store, and are
 * fetched into it first if missing. */
int base_make(const struct base *b, const char *tree, struct store *store, uint64_t deadline,
              void (*line)(void *ctx, const char *line), void *line_ctx,
              struct err *e) ATTR_MUST_USE;
