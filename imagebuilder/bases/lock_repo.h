/* SPDX-License-Identifier: Apache-2.0 */
/* The packages of a lock: in the store by their digests, and as a repository for mmdebstrap. */
#pragma once

#include "bases/lock_download.h"
#include "lock/lock.h"
#include "store/store.h"

/* Fetches those that the store lacks, and checks the digest of each. Works offline if none is
 * missing. `listener` may be NULL. */
int lock_fetch(const struct lock *l, struct store *s, const struct lock_listener *listener,
               uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* Makes an apt repository of them in the empty directory, for the suite of `from`. */
int lock_repository(const struct lock *l, const struct store *s, const char *dir,
                    struct err *e) ATTR_MUST_USE;
/* That repository as a line of sources.list(5). */
const char *lock_repository_source(const struct lock *l, const char *dir, struct arena *a);
/* Checks that the tree has exactly those packages, then replaces the repository's sources by the
 * lock's. */
int lock_settle(const struct lock *l, const char *tree, struct err *e) ATTR_MUST_USE;
