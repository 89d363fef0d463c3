/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users and groups: local accounts, through useradd(8) and related commands.
 *
 * Ids must agree on every node that shares files or runs one job, so give `uid` and `gid`: without
 * them the machine takes the next free ones. What an existing account has beyond the spec is left
 * alone. Its ids are never changed, since files would stay behind with the old ones: another uid or
 * gid than asked for is an error. Removing a user leaves the home directory where it is.
 */
#include "kinds/kinds.h"
#include "kinds/user_own.h"
#include "plan/claim.h"

#define ID_MAX   4294967293
#define NO_ID_16 65535

static const char *const state_names[] = {"present", "absent", NULL}; /* as enum account_state */

static const struct user_spec user_defaults = {.uid = -1, .new_uid = -1, .gid = -1};
static const struct group_spec group_defaults = {.gid = -1};

static const struct field user_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct user_spec, name), .required = true,
         .help = "login name"},
        {"uid", FIELD_INT, FIELD_AT(struct user_spec, uid), .max = ID_MAX,
         .help = "user id; the same on every node (default: the next free one)"},
        {"new-uid", FIELD_INT, FIELD_AT(struct user_spec, new_uid), .min = 1, .max = ID_MAX,
         .help = "user id of an account that has to be made; one that is there keeps its own"},
        {"gid", FIELD_INT, FIELD_AT(struct user_spec, gid), .max = ID_MAX,
         .help = "id of the primary group, which is then made when it isn't there"},
        {"group", FIELD_STRING, FIELD_AT(struct user_spec, group),
         .help = "primary group; without gid it must be there (default: one with the user's name)"},
        {"groups", FIELD_STRINGS, FIELD_AT(struct user_spec, groups),
         .help = "further groups; memberships that aren't named here stay"},
        {"home", FIELD_STRING, FIELD_AT(struct user_spec, home),
         .help = "home directory (default: /home/NAME)"},
        {"create-home", FIELD_BOOL, FIELD_AT(struct user_spec, create_home),
         .help = "make the home directory where there is none (default: yes, no for system users)"},
        {"shell", FIELD_STRING, FIELD_AT(struct user_spec, shell),
         .help = "login shell (default of new users: /bin/bash, /usr/sbin/nologin for system's)"},
        {"system", FIELD_BOOL, FIELD_AT(struct user_spec, system),
         .help = "a service's account: its ids come from the system's range"},
        {"state", FIELD_CHOICE, FIELD_AT(struct user_spec, state), .choices = state_names,
         .help = "present (default) or absent"},
        {0},
};

static const struct field group_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct group_spec, name), .required = true,
         .help = "name of the group"},
        {"gid", FIELD_INT, FIELD_AT(struct group_spec, gid), .max = ID_MAX,
         .help = "group id; the same on every node (default: the next free one)"},
        {"system", FIELD_BOOL, FIELD_AT(struct group_spec, system),
         .help = "a service's group: its id comes from the system's range"},
        {"state", FIELD_CHOICE, FIELD_AT(struct group_spec, state), .choices = state_names,
         .help = "present (default) or absent"},
        {0},
};
static int run_all(const struct step_ctx *c, const struct user_todo *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct host_exec x = {
		        .argv = t->commands[i].argv, .changes = true, .deadline = c->deadline};
		struct host_result ignored;
		bool moves =
		        t->home_new && host_mode(c->host) == HOST_LIVE && str_eq(x.argv[0], "mv");
		int r = moves ? user_home_check(c, t->owner, t->home_new, e) : 0;

		if (r == 0)
			r = host_run_ok(c->host, &x, c->arena, &ignored, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* root can't be absent and always has id 0, and no other account may have that id. */
static int claim_root(const struct step *s, const char *name, int64_t id, const char *key,
                      int state, struct err *e)
{
	bool is_root = str_eq(name, "root");

	if (is_root && state == ACCOUNT_ABSENT)
		return doc_err(claim_at(s, "state"), e, REASON_INPUT_RANGE,
		               "'root' can't be absent");
	if (is_root && id > 0)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "'root' has the id 0 and no other");
	if (id == NO_ID_16)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "id %d is no account's: 16 bits wide it means 'none'", NO_ID_16);
	if (!is_root && id == 0)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "id 0 is root's: '%s' would be root", name);
	return 0;
}

/* What a line of passwd(5) can hold. */
static int claim_passwd(const struct step *s, const char *key, const char *path, struct err *e)
{
	if (path && strchr(path, ':'))
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "'%s' contains a colon, which /etc/passwd can't hold", path);
	return 0;
}

static int claim_user(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct user_spec *u = fields;
	int r = claim_account(claim_at(s, "name"), u->name, e);

	(void)facts;
	if (r < 0)
		return r;
	r = claim_root(s, u->name, u->uid, "uid", u->state, e);
	if (r < 0)
		return r;
	if (u->group) {
		r = claim_account(claim_at(s, "group"), u->group, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < u->groups.n; i++) {
		r = claim_account(claim_item(s, "groups", i), u->groups.items[i], e);
		if (r < 0)
			return r;
	}
	r = u->home ? claim_path(s, "home", &u->home, e) : 0;
	if (r < 0)
		return r;
	r = u->shell ? claim_path(s, "shell", &u->shell, e) : 0;
	if (r < 0)
		return r;
	r = claim_passwd(s, "home", u->home, e);
	if (r < 0)
		return r;
	r = claim_passwd(s, "shell", u->shell, e);
	if (r < 0)
		return r;
	if (!doc_get(s->at, "create-home"))
		u->create_home = !u->system;
	step_name(s, "%s", u->name);
	if (u->state == ACCOUNT_ABSENT)
		return 0;
	step_provides(s, "user:%s", u->name);
	if (u->group)
		step_needs(s, "group:%s", u->group);
	else
		step_provides(s, "group:%s", u->name);
	for (size_t i = 0; i < u->groups.n; i++)
		step_needs(s, "group:%s", u->groups.items[i]);
	if (u->create_home && u->home)
		claim_needs_parent(s, u->home);
	else if (u->create_home)
		step_needs(s, "path:/home");
	return 0;
}

static int claim_group(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct group_spec *g = fields;
	int r = claim_account(claim_at(s, "name"), g->name, e);

	(void)facts;
	if (r < 0)
		return r;
	r = claim_root(s, g->name, g->gid, "gid", g->state, e);
	if (r < 0)
		return r;
	step_name(s, "%s", g->name);
	if (g->state == ACCOUNT_PRESENT)
		step_provides(s, "group:%s", g->name);
	return 0;
}

static int probe_user(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct user_todo t = {0};
	int r = user_todo_user(c, fields, &t, e);

	return r < 0 ? r : t.n == 0;
}

static int apply_user(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct user_todo t = {0};
	int r = user_todo_user(c, fields, &t, e);

	if (r < 0)
		return r;
	/* The programs take it by its path. */
	if (t.home_in && host_mode(c->host) == HOST_LIVE) {
		r = host_dir_closed(c->host, t.home_in, e);
		if (r < 0)
			return r;
	}
	return run_all(c, &t, e);
}

static int probe_group(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct user_todo t = {0};
	int r = user_todo_group(c, fields, &t, e);

	return r < 0 ? r : t.n == 0;
}

static int apply_group(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct user_todo t = {0};
	int r = user_todo_group(c, fields, &t, e);

	return r < 0 ? r : run_all(c, &t, e);
}

const struct kind kind_groups = {
        .section = "groups",
        .summary = "local groups",
        .shape = KIND_LIST,
        .fields = group_fields,
        .size = sizeof(struct group_spec),
        .defaults = &group_defaults,
        .timeout_ms = 60000,
        .claim = claim_group,
        .probe = probe_group,
        .apply = apply_group,
};

const struct kind kind_users = {
        .section = "users",
        .summary = "local users with their groups",
        .shape = KIND_LIST,
        .fields = user_fields,
        .size = sizeof(struct user_spec),
        .defaults = &user_defaults,
        .timeout_ms = 60000,
        .claim = claim_user,
        .probe = probe_user,
        .apply = apply_user,
};
