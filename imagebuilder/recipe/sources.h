/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections of a recipe fetch: the sources of files and scripts that are s3 or https. */
#pragma once

#include "component/component_fetch.h"
#include "recipe/recipe.h"

/* Adds what the step fetches, if anything, to the list; an address with two digests is ERR_INPUT at
 * its place. */
int sources_of_step(const struct step *s, const struct vars *facts, struct arena *a,
                    struct component_fetches *ret, struct err *e) ATTR_MUST_USE;
/* The same for all of the recipe's own steps. */
int sources_of_recipe(const struct recipe *recipe, struct arena *a, struct component_fetches *ret,
                      struct err *e) ATTR_MUST_USE;
