/* SPDX-License-Identifier: Apache-2.0 */
/* Checks, before a build writes anything, that there is enough disk space. */
#pragma once

#include "recipe/recipe.h"

/*
 * The estimate comes from the last build of the recipe as long as its layers exist; otherwise it is
 * SPACE_COLD for the store and for each format. A disk takes at most its size, and is sparse.
 * `output` is NULL without formats. Neither path needs to exist yet.
 */
#define SPACE_COLD (1ULL << 30)
int space_check(const struct recipe *recipe, const char *store, const char *output,
                const char *const *formats, size_t n, struct err *e) ATTR_MUST_USE;
