/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a recipe into a finished tree: makes its layers, or finds them in the store. */
#pragma once

#include "build/chain.h"
#include "build/progress.h"

/*
 * A disk's stem (disk.h) has the base, and leaves out the uppermost layers: always the last step and
 * the cleaning, and below them as many as together have at most this many bytes. So after an edit of
 * any small step the base need not be written again.
 */
#define STEM_FRESH_MIN   2
#define STEM_FRESH_BYTES (32 << 20)

struct built {
	struct arena *arena;
	size_t n;
	struct layer *held;   /* all layers and tests, locked against pruning */
	const char **trees;   /* lowest first, NULL-terminated */
	const char *key;      /* of the uppermost layer: covers everything that decides the tree */
	const char *sbom;     /* path of its SPDX document */
	size_t fresh;         /* layers above the stem */
	const char *stem_dir; /* of the uppermost layer in the stem; "" if there is a base only */
};

/* Makes the missing layers, fetching through `from`. When a step fails, its tree and log are kept,
 * and a message says where. */
int build_tree(const struct recipe *recipe, const struct lock *lock, const struct lock_source *from,
               struct store *s, struct progress *p, struct arena *a, struct built *ret,
               struct err *e) ATTR_MUST_USE;
/* Releases the layers. */
void built_close(struct built *b);
#define scope_built __attribute__((cleanup(built_close)))
