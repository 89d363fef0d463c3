/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c and layer.c share. */
#pragma once

#include "store/store.h"

/* A descriptor that holds the lock (LOCK_SH or LOCK_EX); -EBUSY, without *e: another has it. */
int store_lock(struct store *s, const char *key, int how, struct err *e) ATTR_MUST_USE;

/* Bytes on disk. */
uint64_t store_measure(const char *path);
