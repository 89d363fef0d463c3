/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allows one run at a time on a machine, of whatever program: a record lock (fcntl(2) F_SETLK) on
 * /run/hpc-node/lock. The kernel frees it however we end, and a child does not inherit it, so an
 * abandoned step that hangs in the kernel can't block the next run.
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
