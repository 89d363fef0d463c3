/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine's image was built with, by its manifest: proof that makes queries unnecessary.
 *
 * The manifest lists the packages, and the digest that the package manager's database had then.
 * While the database still has that digest, the manifest is as good as the database; any
 * installation since, by anybody, changes it, and the manifest proves nothing any more.
 */
#pragma once

#include "host/host.h"

#define BAKED_MANIFEST "/usr/lib/hpc-node/image-manifest.json"
#define BAKED_DPKG     "/var/lib/dpkg/status"

#define BAKED_DATABASE_MAX (64UL << 20) /* largest database that is read, in bytes */

/*
 * The packages of the image, as lines "installed NAME VERSION". 1: proved; 0: not, because there is
 * no manifest, or it is damaged, of an unknown schema, or for another state of `database`.
 */
int baked_packages(struct host *h, const char *database, struct arena *a, struct blob *ret);
