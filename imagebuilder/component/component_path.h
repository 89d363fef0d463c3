/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of component documents: relative paths, wildcards, and checks that something exists or
 * doesn't. */
#pragma once

#include "component/component_own.h"

/* The path that the document means: absolute, without a trailing slash; "" counts as not given. */
const char *component_path(struct arena *a, const char *path);

/* Checks that it is a path, and not one of Windows. Wildcards only in its last component, and only
 * with `many`. */
int component_path_check(const struct doc *at, const char *key, const char *path, bool many,
                         struct err *e) ATTR_MUST_USE;

/* The matches of the last component's `*`, sorted by name, of that type only (S_IFREG, S_IFDIR);
 * without a wildcard the path itself. Absolute as component_path() makes them. */
int component_glob(const struct component_round *round, const char *pattern, mode_t type,
                   struct field_strings *ret, struct err *e) ATTR_MUST_USE;

/* Checks that nothing is at that path, unless `overwrite`. */
int component_free(const struct component_round *round, const char *path, bool overwrite,
                   struct err *e) ATTR_MUST_USE;

/* Checks that the directories above the path exist. */
int component_parent(const struct component_round *round, const char *path,
                     struct err *e) ATTR_MUST_USE;

/* Whether the existing path is a folder or not as asked; else ERR_HOST. */
int component_is(const struct component_round *round, const char *path, bool folder,
                 struct err *e) ATTR_MUST_USE;
