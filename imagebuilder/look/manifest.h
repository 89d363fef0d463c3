/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was baked, written twice: BAKED_MANIFEST (kinds/baked.h) in the image, for the agent and
 * whoever logs in, and an SPDX 2.3 document beside it, for those who look for vulnerable packages
 * without the image. Both are functions of their input: no time of writing, no host's name.
 */
#pragma once

#include "host/host.h"
#include "hygiene/hygiene.h"
#include "store/packages.h"

#define SBOM_MAX (64UL << 20) /* bytes */

struct manifest {
	const char *name, *version, *arch;    /* of the recipe */
	const char *recipe;                   /* sha256 of the resolved recipe, hex; or NULL */
	const char *lock;                     /* sha256 of the lock, hex; NULL: built without */
	const char *tree;                     /* key of the layers below this file; or NULL */
	int64_t epoch;                        /* the image's date */
	const struct hygiene_report *hygiene; /* NULL: nothing was cleaned, nor looked for */
};

/*
 * {"schema": 1, "image": {name, version, arch, recipe-sha256, lock-sha256, layers, date},
 *  "built-by", "distribution", "release", "slurm", "kernels": [..], "package-database",
 *  "package-database-sha256", "packages": [{name, version, arch, source}..], "hygiene": {"cleaned":
 * [{rule, path}..], "allowed": [{rule, path, reason}..]}}; what isn't known is null.
 */
int manifest_write(struct host *image, const struct manifest *m, struct err *e) ATTR_MUST_USE;

/*
 * The SPDX document into the file at `path`; `sha256` of the image it goes with, hex, or NULL.
 * Licenses are NOASSERTION: the databases have none, or not by SPDX's names.
 */
int sbom_write(const char *path, int root, const struct manifest *m, const char *sha256,
               struct err *e) ATTR_MUST_USE;
