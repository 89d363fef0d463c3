/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users and groups: local accounts, through useradd(8) and related commands.
 *
 * Ids must agree on every node that shares files or runs one job, so give `uid` and `gid`: without
 * them the machine takes the next free ones. What an existing account has beyond the spec is left
 * alone. Its ids are never changed, since files would stay behind with the old ones: another uid or
 * gid than asked for is an error. Removing a user leaves the home directory where it is.
 *
 * useradd writes passwd, shadow, group, gshadow, subuid and subgid one after the other and then
 * makes the home directory. Whatever a run killed in between has left out is added later.
 */
#include <errno.h>
#include <stdio.h>

#include "kinds/kinds.h"
#include "plan/claim.h"

#define ARGS_MAX     24
#define COMMANDS_MAX 10
#define DB_MAX       (4UL << 20) /* bytes of passwd, shadow, group, subuid */
#define SUBIDS_FROM  100000      /* and how many a user gets: useradd(8) */
#define SUBIDS_COUNT 65536
#define GROUPS_LEN   4096 /* bytes of a --groups list */
#define ID_MAX       4294967293

enum account_state { ACCOUNT_PRESENT, ACCOUNT_ABSENT };
static const char *const state_names[] = {"present", "absent", NULL};

struct user_spec {
	const char *name, *group, *home, *shell;
	int64_t uid, gid; /* -1: any */
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

static const struct user_spec user_defaults = {.uid = -1, .gid = -1};
static const struct group_spec group_defaults = {.gid = -1};

static const struct field user_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct user_spec, name), .required = true,
         .help = "login name"},
        {"uid", FIELD_INT, FIELD_AT(struct user_spec, uid), .max = ID_MAX,
         .help = "user id; the same on every node (default: the next free one)"},
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

/* Commands that still have to run; none: it holds. */
struct todo {
	struct command {
		size_t n;
		const char *argv[ARGS_MAX + 1];
	} commands[COMMANDS_MAX];
	size_t n;
};

static struct command *new_command(struct todo *t, const char *program)
{
	struct command *c = &t->commands[t->n++];

	c->argv[c->n++] = program;
	return c;
}

static void add_arg(struct command *c, const char *option, const char *value)
{
	if (option && c->n < ARGS_MAX)
		c->argv[c->n++] = option;
	if (value && c->n < ARGS_MAX)
		c->argv[c->n++] = value;
}

static void add_id(struct command *c, struct arena *a, const char *option, int64_t id)
{
	if (id >= 0)
		add_arg(c, option, arena_printf(a, "%lld", (long long)id));
}

static int run_all(const struct step_ctx *c, const struct todo *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct host_exec x = {
		        .argv = t->commands[i].argv, .changes = true, .deadline = c->deadline};
		struct host_result ignored;
		int r = host_run_ok(c->host, &x, c->arena, &ignored, e);

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
	if (!is_root && id == 0)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "id 0 is root's: '%s' would be root", name);
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

/* 1: it exists, with the gid asked for; 0: it doesn't exist. */
static int look_at_group(const struct step_ctx *c, const char *name, int64_t gid, gid_t *ret,
                         struct err *e)
{
	int r = host_group(c->host, name, ret, e);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (gid >= 0 && gid != (int64_t)*ret)
		return err_set(e, ERR_HOST, REASON_HOST_USER, EEXIST,
		               "group '%s' has gid %u on this machine, asked for is %lld", name,
		               (unsigned)*ret, (long long)gid);
	return 1;
}

static void add_groupadd(struct todo *t, struct arena *a, const char *name, int64_t gid,
                         bool system)
{
	struct command *c = new_command(t, "groupadd");

	add_id(c, a, "--gid", gid);
	add_arg(c, system ? "--system" : NULL, NULL);
	add_arg(c, NULL, name);
}

static bool in_group(const struct host_user *u, gid_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return true;
	return u->gid == gid;
}

/* The supplementary groups that the user isn't in yet, comma separated; `now` NULL: all. NULL:
 * none. */
static const char *missing_groups(const struct step_ctx *c, const struct user_spec *u,
                                  const struct host_user *now)
{
	struct strbuf list = STRBUF(c->arena, GROUPS_LEN);

	for (size_t i = 0; i < u->groups.n; i++) {
		struct err ignored; /* usermod has the better message if the group doesn't exist */
		gid_t gid;

		if (now && host_group(c->host, u->groups.items[i], &gid, &ignored) == 0 &&
		    in_group(now, gid))
			continue;
		strbuf_str(&list, list.len ? "," : "");
		strbuf_str(&list, u->groups.items[i]);
	}
	return list.data;
}

static int todo_new_user(const struct step_ctx *c, const struct user_spec *u, struct todo *t,
                         struct err *e)
{
	const char *group = u->group ? u->group : u->name;
	const char *more = missing_groups(c, u, NULL);
	gid_t gid;
	int there = look_at_group(c, group, u->gid, &gid, e);

	if (there < 0)
		return there;
	bool own = !there && !u->group && u->gid < 0; /* useradd makes it, with the uid's number */
	if (!there && u->gid >= 0)
		add_groupadd(t, c->arena, group, u->gid, u->system);

	struct command *add = new_command(t, "useradd");
	add_id(add, c->arena, "--uid", u->uid);
	add_arg(add, own ? "--user-group" : "--gid", own ? NULL : group);
	add_arg(add, more ? "--groups" : NULL, more);
	add_arg(add, u->home ? "--home-dir" : NULL, u->home);
	add_arg(add, u->create_home ? "--create-home" : "--no-create-home", NULL);
	add_arg(add, "--shell",
	        u->shell    ? u->shell
	        : u->system ? "/usr/sbin/nologin"
	                    : "/bin/bash");
	add_arg(add, u->system ? "--system" : NULL, NULL);
	add_arg(add, NULL, u->name);
	return 0;
}

static int todo_old_user(const struct step_ctx *c, const struct user_spec *u,
                         const struct host_user *now, struct todo *t, struct err *e)
{
	const char *group = u->group ? u->group : u->gid >= 0 ? u->name : NULL;
	const char *more = missing_groups(c, u, now);
	struct command mod = {.n = 1, .argv = {"usermod"}};
	gid_t gid;

	if (u->uid >= 0 && u->uid != (int64_t)now->uid)
		return err_set(e, ERR_HOST, REASON_HOST_USER, EEXIST,
		               "user '%s' has uid %u on this machine, asked for is %lld", u->name,
		               (unsigned)now->uid, (long long)u->uid);
	int there = group ? look_at_group(c, group, u->gid, &gid, e) : 1;
	if (there < 0)
		return there;
	if (!there && u->gid >= 0)
		add_groupadd(t, c->arena, group, u->gid, u->system);
	if (group && (!there || gid != now->gid))
		add_arg(&mod, "--gid", group);
	if (u->home && !str_eq(u->home, now->home))
		add_arg(&mod, "--home", u->home);
	if (u->shell && !str_eq(u->shell, now->shell))
		add_arg(&mod, "--shell", u->shell);
	if (more) {
		add_arg(&mod, "--append", NULL);
		add_arg(&mod, "--groups", more);
	}
	if (mod.n == 1)
		return 0;
	add_arg(&mod, NULL, u->name);
	t->commands[t->n++] = mod;
	return 0;
}

/* ---- what a killed useradd left undone ---- */

static const char *database(const struct step_ctx *c, const char *path)
{
	struct blob text = {0};
	struct err ignored;

	if (host_read(c->host, path, DB_MAX, c->arena, &text, &ignored) < 0)
		return NULL;
	return text.data ? text.data : "";
}

/* A field, counted from 0, of the line that has this value in another field; NULL:
 * there is none. */
static const char *field_where(const struct step_ctx *c, const char *text, size_t key,
                               const char *value, size_t want)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *found = NULL, *at = line += *line == '\n';
		bool is = false;

		for (size_t i = 0; at; i++) {
			size_t len = strcspn(at, ":\n");

			if (i == key)
				is = len == strlen(value) && memcmp(at, value, len) == 0;
			if (i == want)
				found = arena_memdup(c->arena, at, len);
			at = at[len] == ':' ? at + len + 1 : NULL;
		}
		if (is)
			return found ? found : "";
	}
	return NULL;
}

static bool names(const struct step_ctx *c, const char *text, const char *name)
{
	return field_where(c, text, 0, name, 0) != NULL;
}

/* The first id after all ranges in use. */
static uint64_t free_subids(const char *text)
{
	uint64_t next = SUBIDS_FROM;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		unsigned long long start, count;

		line += *line == '\n';
		if (sscanf(line, "%*[^:\n]:%llu:%llu", &start, &count) == 2 && start + count > next)
			next = start + count;
	}
	return next;
}

static void add_subids(const struct step_ctx *c, const char *name, struct todo *t)
{
	static const char *const files[][2] = {{"/etc/subuid", "--add-subuids"},
	                                       {"/etc/subgid", "--add-subgids"}};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *text = database(c, files[i][0]);
		uint64_t from = free_subids(text);

		if (!text || names(c, text, name))
			continue;
		struct command *mod = new_command(t, "usermod");
		add_arg(mod, files[i][1],
		        arena_printf(c->arena, "%llu-%llu", (unsigned long long)from,
		                     (unsigned long long)from + SUBIDS_COUNT - 1));
		add_arg(mod, NULL, name);
	}
}

/* Made under a temporary name, so that it appears complete or not at all. */
static void add_home(const struct step_ctx *c, const struct host_user *u, const char *home,
                     struct todo *t)
{
	const char *temp = arena_printf(c->arena, "%s.hpc-new", home);

	add_arg(new_command(t, "mkdir"), "-p", temp);
	if (host_exists(c->host, "/etc/skel")) {
		struct command *copy = new_command(t, "cp");

		add_arg(copy, "-rT", "/etc/skel");
		add_arg(copy, NULL, temp);
	}
	struct command *own = new_command(t, "chown");
	add_arg(own, "-Rh", arena_printf(c->arena, "%s:", u->name));
	add_arg(own, NULL, temp);
	struct command *move = new_command(t, "mv");
	add_arg(move, "-T", temp);
	add_arg(move, NULL, home);
}

static void todo_half_user(const struct step_ctx *c, const struct user_spec *u,
                           const struct host_user *now, struct todo *t)
{
	const char *passwd = database(c, "/etc/passwd"), *shadow = database(c, "/etc/shadow");
	const char *groups = database(c, "/etc/group"), *home = u->home;
	const char *gid = arena_printf(c->arena, "%u", now->gid);

	if (now->uid == 0 || !passwd || !names(c, passwd, u->name))
		return;
	if (groups && !field_where(c, groups, 2, gid, 0) && !names(c, groups, u->name))
		add_groupadd(t, c->arena, u->name, now->gid, u->system);
	if (shadow && !names(c, shadow, u->name)) {
		struct command *mod = new_command(t, "usermod");
		add_arg(mod, "--password", "!");
		add_arg(mod, NULL, u->name);
	}
	/* An account whose home is not the default one was not made by us. */
	if (!home && str_eq(now->home, arena_printf(c->arena, "/home/%s", u->name)))
		home = now->home;
	if (!u->create_home || !home || host_exists(c->host, home))
		return;
	if (!u->system)
		add_subids(c, u->name, t);
	add_home(c, now, home, t);
}

static int todo_there(const struct step_ctx *c, const struct user_spec *u,
                      const struct host_user *now, struct todo *t, struct err *e)
{
	int r = todo_old_user(c, u, now, t, e);

	if (r < 0)
		return r;
	if (host_mode(c->host) == HOST_LIVE)
		todo_half_user(c, u, now, t);
	return 0;
}

static int user_todo(const struct step_ctx *c, const struct user_spec *u, struct todo *t,
                     struct err *e)
{
	struct host_user now;
	int r = host_user(c->host, u->name, c->arena, &now, e);
	bool there = r == 0;

	if (r < 0 && r != -ENOENT)
		return r;
	if (u->state == ACCOUNT_PRESENT)
		return there ? todo_there(c, u, &now, t, e) : todo_new_user(c, u, t, e);
	if (there)
		add_arg(new_command(t, "userdel"), NULL, u->name);
	return 0;
}

static int probe_user(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct todo t = {0};
	int r = user_todo(c, fields, &t, e);

	return r < 0 ? r : t.n == 0;
}

static int apply_user(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct todo t = {0};
	int r = user_todo(c, fields, &t, e);

	return r < 0 ? r : run_all(c, &t, e);
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

static int group_todo(const struct step_ctx *c, const struct group_spec *g, struct todo *t,
                      struct err *e)
{
	bool wanted = g->state == ACCOUNT_PRESENT;
	gid_t gid;
	int there = look_at_group(c, g->name, wanted ? g->gid : -1, &gid, e);

	if (there < 0)
		return there;
	if (wanted && !there)
		add_groupadd(t, c->arena, g->name, g->gid, g->system);
	if (!wanted && there)
		add_arg(new_command(t, "groupdel"), NULL, g->name);
	return 0;
}

static int probe_group(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct todo t = {0};
	int r = group_todo(c, fields, &t, e);

	return r < 0 ? r : t.n == 0;
}

static int apply_group(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct todo t = {0};
	int r = group_todo(c, fields, &t, e);

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
