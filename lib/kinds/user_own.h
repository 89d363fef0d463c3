/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kinds `users` and `groups`. */
#pragma once

#include "plan/step.h"

enum account_state { ACCOUNT_PRESENT, ACCOUNT_ABSENT };

struct user_spec {
	const char *name, *group, *home, *shell;
	int64_t uid, gid; /* -1: any */
	int64_t new_uid;  /* of an account that isn't there; -1: uid */
	struct field_strings groups;
	bool system, create_home;
	int state;
};

struct group_spec {
	const char *name;
	int64_t gid; /* -1: any */
	bool system;
	int state;
};

/* ---- user_todo.c: what is still missing, as commands ---- */

#define USER_ARGS_MAX     24
#define USER_COMMANDS_MAX 16

/* Commands that still have to run; none: it holds. */
struct user_todo {
	struct user_command {
		size_t n;
		const char *argv[USER_ARGS_MAX + 1];
	} commands[USER_COMMANDS_MAX];
	size_t n;
	const char *home_in;  /* where a home directory will be made; NULL: nowhere */
	const char *home_new; /* that directory, before it is moved to its name */
	const char *owner;
};

/* Fails unless all below the directory is that user's: chown(1) may end well though it could not go
 * into a directory. */
int user_home_check(const struct step_ctx *c, const char *name, const char *path,
                    struct err *e) ATTR_MUST_USE;

/* Adds to *t what has to run so that the account is as asked for, or isn't there if it is to be
 * absent. Ids that differ on this machine are an error. */
int user_todo_user(const struct step_ctx *c, const struct user_spec *u, struct user_todo *t,
                   struct err *e);
int user_todo_group(const struct step_ctx *c, const struct group_spec *g, struct user_todo *t,
                    struct err *e);
