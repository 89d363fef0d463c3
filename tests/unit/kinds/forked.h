/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for systemd in these tests: starts the daemons of the units in /etc/systemd/system and
 * /lib/systemd/system itself, in the sandbox, from their files.
 *
 * It knows what munge and slurmd need: ExecStartPre= and ExecStart= of types simple, exec, notify,
 * forking (with PIDFile=) and oneshot; User=, Group= (of directories), Environment=, KillMode=,
 * EnvironmentFile=, WorkingDirectory=, the Runtime/State/Cache/LogsDirectory= settings and
 * ConditionPathExists=. A daemon's process is remembered in UNITS/NAME.pid as "PID STARTTIME", what
 * it prints is in NAME.log.
 */
#pragma once

#include "machine/unit_own.h"

extern const struct unit_ops forked_units;

/* ---- forked_file.c: systemd.unit(5) as far as it is needed ---- */

struct forked_list {
	size_t n;
	const char **items;
};
struct forked_file {
	const char *type, *user, *group, *pid_file, *directory, *kill_mode;
	struct forked_list conditions; /* ConditionPathExists= */
	struct forked_list start_pre, start;
	struct forked_list environment, environment_files;
	struct forked_list runtime, state, cache, logs; /* RuntimeDirectory= ... */
	const char *runtime_mode;
};
int forked_file_load(struct host *h, const char *unit, struct arena *a, struct forked_file *ret,
                     struct err *e);

/* ---- forked_words.c: systemd.service(5) "Command lines" ---- */

/* Splits at blanks, with "" and '' and backslashes; false: a quote isn't closed. */
bool forked_split(const char *text, struct arena *a, struct forked_list *ret);
/* Into argv: "$A" as a word of its own becomes A's words, "${A}" A's value within a word, "$$" a
 * dollar. env is "NAME=value" items. NULL: not a command line we can run. */
const char *const *forked_command(const char *line, const struct forked_list *env, struct arena *a,
                                  bool *ignore_failure);
/* Adds the assignments of an environment file's text. */
void forked_environment(const char *text, struct arena *a, struct forked_list *env);
/* The last of several assignments counts. */
void forked_set(struct forked_list *env, const char *assignment, struct arena *a);
