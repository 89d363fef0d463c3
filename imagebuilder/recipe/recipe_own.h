/* SPDX-License-Identifier: Apache-2.0 */
/* Private to recipe*.c. */
#pragma once

#include "recipe/recipe.h"

/* Reads `image:` into name, version, arch, distribution, features and disk; `from` as written, or NULL. With a
 * fault all the same, as far as they are right, so that the rest can be checked (faults.h). */
int recipe_header(const struct doc *image, struct faults *faults, struct arena *a,
                  struct recipe *ret, const char **ret_from, struct err *e) ATTR_MUST_USE;
