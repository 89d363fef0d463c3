/* SPDX-License-Identifier: Apache-2.0 */
/* The packages of a lock, in the store by their digests, and as a repository for mmdebstrap. */
#pragma once

#include "recipe/lock.h"
#include "store/store.h"

/* Fetches those that the store hasn't, and looks at the digest of each. With all there it is
 * offline. */
int lock_fetch(const struct lock *l, struct store *s, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;
/* An apt repository of them in the empty directory, for the suite of `from`. */
int lock_repository(const struct lock *l, const struct store *s, const char *dir,
                    struct err *e) ATTR_MUST_USE;
/* The tree has exactly those; then it gets the lock's sources in place of the repository's. */
int lock_settle(const struct lock *l, const char *tree, struct err *e) ATTR_MUST_USE;
