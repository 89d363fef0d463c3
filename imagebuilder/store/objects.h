/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/objects/SHA256 of the store: packages and files that builds have fetched, each by the digest
 * of its content. When one is used its time is set, by which the oldest are pruned.
 */
#pragma once

#include <stddef.h>

#include "store/store.h"

#define OBJECTS_FRESH_S 3600 /* what was used since then may be in use, and stays */

/* It was used just now. */
void objects_touch(const char *path);

/* How many there are, and their bytes on disk. */
void objects_measure(const struct store *s, size_t *ret_n, uint64_t *ret_bytes);

/* Removes the ones longest unused until they have at most `keep` bytes; the same of what it
 * removed. */
void objects_prune(const struct store *s, uint64_t keep, size_t *ret_n, uint64_t *ret_bytes);
