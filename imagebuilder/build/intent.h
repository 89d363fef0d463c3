/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recipe wants to be in its image, for hygiene: what it allows with a reason; what follows
 * from its other parts (units it enables; authorized keys, sudo's rules and jobs of users among the
 * files it puts in); and the paths it puts in, which are never removed without a word.
 */
#pragma once

#include "data/faults.h"
#include "hygiene/hygiene_allow.h"
#include "recipe/recipe.h"

/*
 * Of the recipe and its parents. ERR_INPUT at its place for an entry of `allow` whose rule isn't
 * known, and for a file that cleaning would take out of the image again, or that would fail the build
 * at its end. Only what rules say about paths is known here: the build looks at the files. A file to
 * copy that can't be read is judged by its path in the image. `faults` may be NULL.
 */
int intent_read(const struct recipe *r, struct faults *faults, struct arena *a,
                struct hygiene_intent *ret, struct err *e) ATTR_MUST_USE;
