/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units of the service manager; "munge" means "munge.service".
 *
 * If PID 1 is systemd this talks to it over D-Bus, and goes by the unit's state, not the job's: a
 * job is also "done" when a condition kept the unit from starting. Otherwise (a container without
 * an init system, a root that isn't running) units can only be examined, enabled and disabled;
 * starting one is REASON_UNIT_MISSING.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct host;

enum host_unit_action { HOST_UNIT_START, HOST_UNIT_RESTART, HOST_UNIT_STOP };

struct host_unit_state {
	bool known;     /* the unit exists */
	bool active;    /* ActiveState is active or reloading */
	bool failed;    /* ActiveState is failed */
	bool condition; /* ConditionResult of the last start; true when there was none */
	/* Its files changed since the manager read them. A new drop-in directory is not detected:
	 * whoever writes a drop-in must reload. */
	bool need_reload;
	char active_state[32], sub_state[32];
	char result[32]; /* "success", "exit-code", "timeout", ...; "" for units that have none */
	char file_state[32]; /* "enabled", "disabled", "static", "masked", ...; "" when unknown */
	/* Start time of the current or last activation, in µs of CLOCK_REALTIME as it was then;
	 * 0: none in this boot. */
	uint64_t started_us;
};

/* True when systemd is this root's running service manager. */
bool host_has_systemd(const struct host *h);

/* A unit that doesn't exist is no error: `known` is false. */
int host_unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                    uint64_t deadline, struct err *e) ATTR_MUST_USE;
/*
 * Returns when the unit is in the wanted state; does nothing if it already was. Else the error is
 * REASON_UNIT_MISSING, REASON_UNIT_SKIPPED (a condition), REASON_UNIT_FAILED (with its result and
 * last output) or REASON_UNIT_TIMEOUT. A unit that had failed is started again with its start limit
 * reset. A service of Type=simple counts as started if its process still runs after a moment.
 */
int host_unit_do(struct host *h, const char *unit, enum host_unit_action action, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
/* A unit without [Install] section can't be enabled: REASON_UNIT_FAILED. */
int host_unit_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;
/* Makes the manager read unit files again; does nothing where files are read at each use. */
int host_daemon_reload(struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* The last 64 lines that its processes wrote since it was last started; empty if not available. */
struct blob host_unit_words(struct host *h, const char *unit, struct arena *a);
