/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipes out of several texts.
 *
 * `include:` names files beside the one that includes them. An included text lies under the
 * including one: lists are joined, the included first; maps are joined key by key, the including
 * one wins; any other value is replaced. A file that is reached twice counts once, where it comes
 * first. Every node keeps the place it was read from.
 */
#pragma once

#include "data/doc.h"

#define INCLUDE_DEPTH_MAX 8
#define INCLUDE_FILES_MAX 64
#define INCLUDE_SIZE_MAX  (1024 * 1024) /* bytes of one file, also of those recipes name */

/* The joined document, a map without `include`. */
int include_load(const char *path, struct arena *a, struct doc **ret, struct err *e) ATTR_MUST_USE;

/* The path of a file that `at`'s file names: as it stands when absolute, else beside that file. */
const char *include_beside(const struct doc *at, const char *path, struct arena *a);
