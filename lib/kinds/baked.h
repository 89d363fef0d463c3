/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine's image was baked with, as its manifest tells: proof that spares the questions.
 *
 * The manifest says which packages there are, and the digest that the package manager's database
 * had then. While the database still has that digest, the manifest is as good as the database; any
 * installation since, by anybody, changes it, and the manifest proves nothing more.
 */
#pragma once

#include "host/host.h"

#define BAKED_MANIFEST "/usr/lib/hpc-node/image-manifest.json"
#define BAKED_DPKG     "/var/lib/dpkg/status"

#define BAKED_DATABASE_MAX (64UL << 20) /* bytes of a database that is looked at */

/*
 * The packages of the image, as lines "installed NAME VERSION". 1: proved; 0: not, since there is
 * no manifest, or it is damaged, of a schema not known here, or of another state of `database`.
 */
int baked_packages(struct host *h, const char *database, struct arena *a, struct blob *ret);
