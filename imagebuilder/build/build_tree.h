/* SPDX-License-Identifier: Apache-2.0 */
/* From a recipe to a finished tree: its layers, made or found. */
#pragma once

#include "build/chain.h"
#include "build/progress.h"

/* Layers that a disk's stem is without (disk.h): the step that was edited last, and the cleaning.
 */
#define STEM_FRESH 2

struct built {
	struct arena *arena;
	size_t n;
	struct layer *held; /* all layers and tests, locked against pruning */
	const char **trees; /* lowest first, NULL-terminated */
	const char *key;    /* of the uppermost: all that the tree follows from */
	const char *sbom;   /* path of its SPDX document */
	/* Of the layer STEM_FRESH below the uppermost one, "" when there is none. */
	const char *stem_dir;
};

/* Makes what is missing, with what `from` fetches. When a step fails its tree and log are kept, and
 * said where. */
int build_tree(const struct recipe *recipe, const struct lock *lock, const struct lock_source *from,
               struct store *s, struct progress *p, struct arena *a, struct built *ret,
               struct err *e) ATTR_MUST_USE;
/* Releases the layers. */
void built_close(struct built *b);
#define scope_built __attribute__((cleanup(built_close)))
