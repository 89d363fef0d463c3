/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of component documents: relative ones, wildcards, and what must or must not be there. */
#pragma once

#include "recipe/component_own.h"

/* What the document calls so: absolute, without a slash at its end; "" is as nothing was said. */
const char *component_path(struct arena *a, const char *path);

/* A path, and not one of Windows. Wildcards only in its last component, and there with `many`. */
int component_path_check(const struct doc *at, const char *key, const char *path, bool many,
                         struct err *e) ATTR_MUST_USE;

/* What matches the last component's `*`, by name, of that type only (S_IFREG, S_IFDIR); the path
 * itself without one. Absolute as component_path() makes them. */
int component_glob(const struct component_round *round, const char *pattern, mode_t type,
                   struct field_strings *ret, struct err *e) ATTR_MUST_USE;

/* Nothing is at that path, or `overwrite`. */
int component_free(const struct component_round *round, const char *path, bool overwrite,
                   struct err *e) ATTR_MUST_USE;

/* The directories above the path are there. */
int component_parent(const struct component_round *round, const char *path,
                     struct err *e) ATTR_MUST_USE;

/* Something is there, and is a folder or not; ERR_HOST else. */
int component_is(const struct component_round *round, const char *path, bool folder,
                 struct err *e) ATTR_MUST_USE;
