/* SPDX-License-Identifier: Apache-2.0 */
/* Private to store*.c and layer.c. */
#pragma once

#include "store/store.h"

/* A descriptor that holds the lock (LOCK_SH or LOCK_EX); -EBUSY, without *e: another process has
 * it. */
int store_lock(const struct store *s, const char *key, int how, struct err *e) ATTR_MUST_USE;

/* Bytes on disk of everything below it. */
int store_measure(const char *path, uint64_t *ret, struct err *e) ATTR_MUST_USE;

/* Whether a name in DIR/layers or DIR/failed can be a key: 64 digits of 0-9 and a-f. */
bool store_is_key(const char *name);
