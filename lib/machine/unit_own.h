/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the unit*.c files; not for other floors. */
#pragma once

#include "host/host_own.h"
#include "machine/unit.h"

/* One implementation of units. Names are complete here, "munge.service". */
struct unit_ops {
	int (*state)(struct host *h, const char *unit, struct host_unit_state *ret,
	             uint64_t deadline, struct err *e);
	/* Called if the unit exists and is not in the wanted state yet. */
	int (*act)(struct host *h, const char *unit, enum host_unit_action action,
	           uint64_t deadline, struct err *e);
	int (*enable)(struct host *h, const char *unit, bool enable, uint64_t deadline,
	              struct err *e);
	int (*reload)(struct host *h, uint64_t deadline, struct err *e);
	struct blob (*words)(struct host *h, const char *unit, struct arena *a);
};

extern const struct unit_ops unit_bus;   /* unit_bus.c: systemd is PID 1 */
extern const struct unit_ops unit_image; /* unit_image.c: nothing starts units in this root */

/* ---- unit_image.c: for other implementations that go by the files ---- */

int unit_image_state(struct host *h, const char *unit, struct host_unit_state *ret,
                     uint64_t deadline, struct err *e) ATTR_MUST_USE;
int unit_image_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                      struct err *e) ATTR_MUST_USE;
int unit_image_reload(struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* ---- unit_judge.c ---- */

/* "start", "restart" or "stop". */
const char *unit_verb(enum host_unit_action action);

/* The result of an action. */
struct unit_after {
	const char *unit;
	enum host_unit_action action;
	const char
	        *job; /* the job's result by systemd: "done", "failed", ... ; "" if it never came */
	bool oneshot; /* success means that it is inactive again */
	struct host_unit_state state;
	const char *words; /* the unit's last output, or "" */
};
/* 1: as wanted; 0: in progress, check again; <0: the error. */
int unit_judge(const struct unit_after *u, struct err *e);

/* ---- unit_file.c: what a root's files say about a unit ---- */

struct unit_file {
	bool known, masked, installable;
};
int unit_file_load(struct host *h, const char *unit, struct unit_file *ret,
                   struct err *e) ATTR_MUST_USE;
/* "enabled", "disabled", "static", "masked" or "" as systemctl is-enabled says. */
const char *unit_file_state(struct host *h, const char *unit, const struct unit_file *f);

/* ---- unit_words.c: the journal's ---- */

/* The last line since then: of its processes, else of systemd about it; or "". */
const char *unit_last_words(struct host *h, const char *unit, time_t since, struct arena *a);
/* The last 64 lines of its processes since then. */
struct blob unit_words_since(struct host *h, const char *unit, time_t since, struct arena *a);
