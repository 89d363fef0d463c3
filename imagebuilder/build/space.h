/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what a build writes will find room, before any of it is written. */
#pragma once

#include "recipe/recipe.h"

/*
 * How much that is the last build of the recipe tells, as long as its layers are there; without one
 * SPACE_COLD for the store and for each format. A disk takes no more than its size, and is sparse.
 * `output` is NULL without formats. Both paths need not be there yet.
 */
#define SPACE_COLD (1ULL << 30)
int space_check(const struct recipe *recipe, const char *store, const char *output,
                const char *const *formats, size_t n, struct err *e) ATTR_MUST_USE;
