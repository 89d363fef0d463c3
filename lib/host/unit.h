/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the service manager. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct host;

enum host_unit_action { HOST_UNIT_START, HOST_UNIT_RESTART, HOST_UNIT_STOP };

struct host_unit_state {
	bool known;       /* a unit file is loaded */
	bool active;      /* ActiveState=active */
	bool failed;      /* ActiveState=failed */
	bool condition;   /* ConditionResult of the last start */
	bool need_reload; /* NeedDaemonReload */
	char active_state[32], sub_state[32], result[32],
	        file_state[32]; /* file_state: enabled, masked... */
};

/* Over D-Bus to PID 1; where PID 1 is not systemd: REASON_UNIT_MISSING, -ENOTSUP (see
 * host_has_systemd). */
bool host_has_systemd(const struct host *h);
int host_unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                    uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* Waits until the job is done and the unit is in the wanted state; a job that is "done" because a
 * condition failed is REASON_UNIT_SKIPPED, a failed unit carries its result and last journal line.
 */
int host_unit_do(struct host *h, const char *unit, enum host_unit_action action, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
int host_unit_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;
int host_daemon_reload(struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;
