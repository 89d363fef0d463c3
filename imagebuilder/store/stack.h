/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a stack of layer directories, lowest first, as overlayfs would show them. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The content of the uppermost regular file at the path; if absent, no data and 0. */
int stack_read(const char *const *layers, const char *path, size_t max, struct arena *a,
               struct blob *ret, struct err *e) ATTR_MUST_USE;

/* Whether the path exists, as a file, link or anything else. */
bool stack_have(const char *const *layers, const char *path);
/* The same, and its attributes. */
bool stack_stat(const char *const *layers, const char *path, struct stat *ret);

/* The names in the directory with that prefix, without those removed by upper layers,
 * in no order. */
int stack_list(const char *const *layers, const char *path, const char *prefix, struct arena *a,
               const char ***ret, size_t *ret_n, struct err *e) ATTR_MUST_USE;

/* Whether overlayfs treats the (upper) directory as opaque: what lower layers have in
 * it is hidden. */
bool stack_is_opaque(int dir);
