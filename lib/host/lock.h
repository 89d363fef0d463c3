/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run a machine, of either program: a record lock (fcntl(2) F_SETLK) on /run/hpc-node/lock. The
 * kernel frees it however we end, and a child does not inherit it, so a step abandoned in the
 * kernel can't keep the next run out.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct host;

#define HOST_LOCK_DIR "/run/hpc-node"
#define HOST_LOCK     HOST_LOCK_DIR "/lock"

/* Makes HOST_LOCK_DIR and takes the lock. Held by another run: -EBUSY, REASON_BUSY. */
int host_lock(const struct host *h, int *ret_fd, struct err *e) ATTR_MUST_USE;

/* True when a run holds the lock now. */
bool host_lock_held(const struct host *h);
