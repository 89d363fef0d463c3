/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run a machine: a record lock (fcntl(2) F_SETLK) on /run/hpc-node/lock. The kernel frees it
 * however we end, and a child does not inherit it, so a step abandoned in the kernel can't keep the
 * next run out.
 */
#pragma once

#include "agent.h"

/* Makes AGENT_RUN_DIR and takes the lock. Held by another run: -EBUSY, REASON_BUSY. */
int lock_take(const struct host *h, int *ret_fd, struct err *e) ATTR_MUST_USE;

/* True when a run holds the lock now. */
bool lock_held(const struct host *h);
