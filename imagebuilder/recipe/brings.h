/* SPDX-License-Identifier: Apache-2.0 */
/* What a recipe, with the recipes it is made from, is known to bring into the image before any work. */
#pragma once

#include "recipe/recipe.h"

/* The recipe that has the base. */
const struct recipe *brings_lowest(const struct recipe *r);

/* Whether one of its packages matches one of the patterns of fnmatch(3), with blanks between. */
int brings_package(const struct recipe *r, const char *globs, struct arena *a, bool *ret,
                   struct err *e) ATTR_MUST_USE;
/* The same of one name. */
bool brings_match(const char *globs, const char *name, struct arena *a);

/* Whether something may bring what no list of packages tells: a component, a script, or a copy to
 * one of these places (NULL-terminated). */
bool brings_unknown(const struct recipe *r, const char *const *places);
