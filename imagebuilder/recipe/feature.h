/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: what an image's kernel must be able to do. Twice: before any work by a table of what is
 * known of distributions' packages, and in the finished tree by the modules that are there.
 */
#pragma once

#include "recipe/recipe.h"

/*
 * Refuses what is sure not to come about, at its place and with the way out: a feature that no
 * package of the distribution's list, and none of the recipe's, brings. What components, scripts
 * and files copied to /lib/modules may bring is left to the proof, as is a base that isn't a
 * distribution. Of the recipes it is from, too.
 */
int feature_check(const struct recipe *r, struct arena *a, struct err *e) ATTR_MUST_USE;

/* Each kernel in the tree that `root` is a descriptor of has the modules of the recipe's own
 * features. Else ERR_HOST at their place, which names feature, kernel and module. */
int feature_prove(const struct recipe *r, int root, struct err *e) ATTR_MUST_USE;

/* A name of the table; for `features:`. */
extern const char *const feature_names[]; /* NULL-terminated */
