/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a lock: what components and sections fetch, in the store by their digests. */
#pragma once

#include "component/component_fetch.h"
#include "lock/lock.h"
#include "store/store.h"

/* A handle for fetching, opened on first use: without anything to fetch none is needed. */
struct lock_source {
	int (*open)(void *ctx, struct cloud **ret, struct err *e);
	void *ctx;
};

/* The files of those downloads; digests that their documents lack are determined by fetching, and
 * which objects are below a prefix by listing them. */
int lock_find_files(const struct component_fetches *l, const struct lock_source *from,
                    struct arena *a, struct lock *ret, struct err *e) ATTR_MUST_USE;
/* Sets each download's digest from the lock, or without a lock from its document; a download of
 * many becomes those that the lock has. A download without a digest, or with a different one, is
 * ERR_INPUT at its place. `lock` may be NULL. */
int lock_fix_files(const struct lock *lock, struct component_fetches *l, struct arena *a,
                   struct err *e) ATTR_MUST_USE;
/* Fetches those that the store lacks, and opens each. lock_close_files closes them, also after a
 * failure. */
int lock_open_files(struct component_fetches *l, const struct store *s,
                    const struct lock_source *from, uint64_t deadline, struct err *e) ATTR_MUST_USE;
void lock_close_files(struct component_fetches *l);
