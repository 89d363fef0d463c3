/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/objects/SHA256 of the store: packages and files that builds have fetched, each named by the
 * digest of its content. Each use updates its timestamp; pruning removes the oldest.
 */
#pragma once

#include <stddef.h>

#include "store/store.h"

#define OBJECTS_FRESH_S 3600 /* used more recently: may be in use, and is kept */

/* Marks it as used now. */
void objects_touch(const char *path);

/* Counts them, and their bytes on disk. */
void objects_measure(const struct store *s, size_t *ret_n, uint64_t *ret_bytes);

/* Removes the least recently used until at most `keep` bytes are left; counts what it removed. */
void objects_prune(const struct store *s, uint64_t keep, size_t *ret_n, uint64_t *ret_bytes);
