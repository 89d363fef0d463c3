/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowest layer of an image: what its recipe is `from`.
 *
 *   - a distribution: mmdebstrap, with the recipe's packages in the same run, from those of this
 *     machine's apt sources that are for that release;
 *   - a tar: looked into (archive.h), then unpacked by tar(1);
 *   - a directory: copied.
 */
#pragma once

#include "recipe.h"
#include "sandbox.h"

/* What no rebuild changes: the times of generated files, shadow(5)'s days. 2020-01-01. */
#define BASE_EPOCH      1577836800
#define BASE_EPOCH_TEXT "1577836800"

struct base {
	const struct recipe *recipe;
	struct field_strings packages; /* that come with it, sorted; none but of a distribution */
};

/*
 * Finds out all that decides the content, which is written to *key as text. What can't be built
 * here (another architecture, a release without sources, a missing tool) is an error that says what
 * to do about it.
 */
int base_plan(const struct recipe *r, struct arena *a, struct base *ret, struct strbuf *key,
              struct err *e) ATTR_MUST_USE;

/* Whether the recipe's packages come with the base, so that no step installs them. */
bool base_brings_packages(const struct recipe *r);

/* Makes the tree, an empty directory. */
int base_make(const struct base *b, const char *tree, uint64_t deadline,
              void (*line)(void *ctx, const char *line), void *line_ctx,
              struct err *e) ATTR_MUST_USE;
