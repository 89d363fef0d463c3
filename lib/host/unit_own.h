/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit*.c files share; not for other floors. */
#pragma once

#include "host/host_own.h"

/* One way of having units. Names are full here, "munge.service". */
struct unit_ops {
	int (*state)(struct host *h, const char *unit, struct host_unit_state *ret,
	             uint64_t deadline, struct err *e);
	/* The unit is known, and not in the wanted state yet. */
	int (*act)(struct host *h, const char *unit, enum host_unit_action action,
	           uint64_t deadline, struct err *e);
	int (*enable)(struct host *h, const char *unit, bool enable, uint64_t deadline,
	              struct err *e);
	int (*reload)(struct host *h, uint64_t deadline, struct err *e);
	struct blob (*words)(struct host *h, const char *unit, struct arena *a);
};
#define UNIT_WORDS_LINES "64"

extern const struct unit_ops unit_bus;   /* unit_bus.c: systemd is PID 1 */
extern const struct unit_ops unit_fork;  /* unit_fork.c: it is not */
extern const struct unit_ops unit_image; /* unit_image.c: nothing runs in this root */

/* ---- unit_image.c: what unit_fork.c has in common with it ---- */

int unit_image_state(struct host *h, const char *unit, struct host_unit_state *ret,
                     uint64_t deadline, struct err *e) ATTR_MUST_USE;
int unit_image_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                      struct err *e) ATTR_MUST_USE;
int unit_image_reload(struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* ---- unit.c ---- */

/* What came of an action. */
struct unit_after {
	const char *unit;
	enum host_unit_action action;
	const char
	        *job; /* systemd's word on its job: "done", "failed", ... ; "" when it never came */
	bool oneshot; /* being inactive again is how it succeeds */
	struct host_unit_state state;
	const char *words; /* the unit's last words, or "" */
};
/* 1: as wanted; 0: on its way, look again; <0: the error. */
int unit_judge(const struct unit_after *u, struct err *e);

/* ---- unit_file.c: systemd.unit(5) as far as it is needed ---- */

struct unit_list {
	size_t n;
	const char **items;
};
struct unit_file {
	bool known, masked, installable;
	const char *type, *user, *group, *pid_file, *directory, *kill_mode;
	struct unit_list conditions; /* ConditionPathExists= */
	struct unit_list start_pre, start;
	struct unit_list environment, environment_files;
	struct unit_list runtime, state, cache, logs; /* RuntimeDirectory= ... */
	const char *runtime_mode;
};
int unit_file_load(struct host *h, const char *unit, struct arena *a, struct unit_file *ret,
                   struct err *e) ATTR_MUST_USE;
/* "enabled", "disabled", "static", "masked" or "" as systemctl is-enabled says. */
const char *unit_file_state(struct host *h, const char *unit, const struct unit_file *f);

/* ---- unit_words.c: systemd.service(5) "Command lines" ---- */

/* Splits at blanks, with "" and '' and backslashes; false: a quote isn't closed. */
bool unit_split(const char *text, struct arena *a, struct unit_list *ret);
/* Into argv: "$A" as a word of its own becomes A's words, "${A}" A's value within a word, "$$" a
 * dollar. env is "NAME=value" items. NULL: not a command line we can run. */
const char *const *unit_command(const char *line, const struct unit_list *env, struct arena *a,
                                bool *ignore_failure);
/* Adds the assignments of an environment file's text. */
void unit_environment(const char *text, struct arena *a, struct unit_list *env);
/* The last of several assignments counts. */
void unit_set(struct unit_list *env, const char *assignment, struct arena *a);
