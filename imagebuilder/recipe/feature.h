/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: what an image's kernel must support. Checked twice: before any work, by a table of what
 * is known of distributions' packages, and in the finished tree, by the modules that exist.
 */
#pragma once

#include "recipe/recipe.h"

/*
 * Refuses what can't succeed, at its place and with a remedy: a feature that no package of the
 * distribution's list, and none of the recipe's, provides. What components, scripts and files
 * copied to /lib/modules may provide is left to feature_prove, as is a base that isn't a
 * distribution. Includes the parent recipes' features.
 */
int feature_check(const struct recipe *r, struct arena *a, struct err *e) ATTR_MUST_USE;

/* Checks that each kernel in the tree that `root` is a descriptor of has the modules of the
 * recipe's own features. Else ERR_HOST at their place, naming feature, kernel and module. */
int feature_prove(const struct recipe *r, int root, struct err *e) ATTR_MUST_USE;

/* The names in the table; for `features:`. */
extern const char *const feature_names[]; /* NULL-terminated */
