/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a disk made of a recipe can start, as far as its packages tell before any work. */
#pragma once

#include "recipe/recipe.h"

/*
 * ERR_INPUT at the recipe's packages, with the package to add, if the base is a distribution and no
 * package brings a kernel, or, where a minimal system has none, an init. What components and
 * scripts may bring is left to the finished tree (disk.h), as is a base that isn't a distribution.
 * `all` are the names of the packages that a lock lists; NULL: only what the recipe names is known.
 */
int bootable_check(const struct recipe *r, const struct field_strings *all, struct arena *a,
                   struct err *e) ATTR_MUST_USE;
