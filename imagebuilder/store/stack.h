/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a stack of layer directories, lowest first, as overlayfs would show them. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The content of the uppermost regular file at the path; an absent one gives no data and 0. */
int stack_read(const char *const *layers, const char *path, size_t max, struct arena *a,
               struct blob *ret, struct err *e) ATTR_MUST_USE;

/* Whether the path is there, as a file, link or anything else. */
bool stack_have(const char *const *layers, const char *path);
/* The same, and what it is. */
bool stack_stat(const char *const *layers, const char *path, struct stat *ret);

/* The names in the directory that begin so, without those removed above, in no order. */
int stack_list(const char *const *layers, const char *path, const char *prefix, struct arena *a,
               const char ***ret, size_t *ret_n, struct err *e) ATTR_MUST_USE;

/* Whether overlayfs takes the directory, an upper one, for all there is: what lower layers have in
 * it is gone. */
bool stack_is_opaque(int dir);
