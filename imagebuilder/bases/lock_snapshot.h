/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's snapshot service, which keeps each file that Debian's archives ever had. Its interface
 * (https://snapshot.debian.org/): /mr/binary/NAME/VERSION/binfiles?fileinfo=1 tells which files that
 * package is, by their SHA-1, and /file/SHA1 is one. Nothing of it is believed: a file counts by the
 * SHA-256 of the lock.
 */
#pragma once

#include "bases/lock_download.h"
#include "lock/lock.h"

#define SNAPSHOT_DEBIAN "https://snapshot.debian.org"

/* Fetches what it has of the lock's packages with `gone`, from l->snapshot, into the directory by
 * their SHA-256. What it doesn't have is no error. */
int lock_from_snapshot(const struct lock *l, const bool *gone, const char *dir,
                       const struct lock_listener *listener, uint64_t deadline, struct arena *a,
                       struct err *e) ATTR_MUST_USE;
