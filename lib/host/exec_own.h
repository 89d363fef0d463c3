/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program that stays; for unit_fork.c, not for other floors. */
#pragma once

#include <sys/types.h>

#include "host/host_own.h"

/* As host_run, unrecorded, but the program goes on after we have ended, in a session of its own
 * with stdout and stderr added to the file `log` (created 0600); 0: it was started. */
int exec_daemon(struct host *h, const struct host_exec *x, const char *log, pid_t *ret,
                struct err *e) ATTR_MUST_USE;
