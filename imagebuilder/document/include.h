/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipes that consist of several texts.
 *
 * `include:` names files. A relative name is looked for beside the file that has it, then among the
 * recipes installed with this program; one that begins with ./ or ../ only beside it. An included text lies under the including
 * one: lists are joined, the included first; maps are merged key by key, the including one wins;
 * any other value is replaced. A file that is included twice counts once, at its first position.
 * Every node keeps the place it was read from.
 */
#pragma once

#include "document/when.h"

#define INCLUDE_DEPTH_MAX 8
#define INCLUDE_FILES_MAX 64
#define INCLUDE_SIZE_MAX  (1024 * 1024) /* bytes of one file */

/* The joined document, a map without `include`. `installed` is the directory of the installed
 * recipes; NULL: there is none. The parts of each text's `when` are laid over that text, before it
 * is joined with others; `when` NULL: they are left in it, unread. */
int include_load(const char *path, const char *installed, struct when *when, struct arena *a,
                 struct doc **ret, struct err *e) ATTR_MUST_USE;

/* The path of a recipe that is named at that place; if there is none, the one beside it. */
const char *include_find(const struct doc *at, const char *name, const char *installed,
                         struct arena *a);
