/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that make accounts as asked for, from what the machine has now: useradd(8) and
 * related ones.
 *
 * useradd writes passwd, shadow, group, gshadow, subuid and subgid one after the other. Whatever a
 * run killed in between has left out is added later. The home directory isn't left to it: what it
 * had copied of /etc/skel when it was killed would look like a home.
 */
#include <errno.h>
#include <stdio.h>

#include "kinds/user_own.h"

#define DB_MAX       (4UL << 20) /* bytes of passwd, shadow, group, gshadow, subuid, login.defs */
#define SUBIDS_FROM  100000      /* and how many a user gets: useradd(8) */
#define SUBIDS_COUNT 65536
#define GROUPS_LEN   4096 /* bytes of a --groups list */

static struct user_command *new_command(struct user_todo *t, const char *program)
{
	struct user_command *c = &t->commands[t->n++];

	c->argv[c->n++] = program;
	return c;
}

static void add_arg(struct user_command *c, const char *option, const char *value)
{
	if (option && c->n < USER_ARGS_MAX)
		c->argv[c->n++] = option;
	if (value && c->n < USER_ARGS_MAX)
		c->argv[c->n++] = value;
}

static void add_id(struct user_command *c, struct arena *a, const char *option, int64_t id)
{
	if (id >= 0)
		add_arg(c, option, arena_printf(a, "%lld", (long long)id));
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

static void add_groupadd(struct user_todo *t, struct arena *a, const char *name, int64_t gid,
                         bool system)
{
	struct user_command *c = new_command(t, "groupadd");

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

/* ---- the files of accounts ---- */

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

static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, len) == 0 && (at[len] == ',' || !at[len]))
			return true;
	}
	return false;
}

/* Whether gshadow has the group without this member. */
static bool lacks_member(const struct step_ctx *c, const char *group, const char *name)
{
	const char *text = host_mode(c->host) == HOST_LIVE ? database(c, "/etc/gshadow") : NULL;
	const char *members = text ? field_where(c, text, 0, group, 3) : NULL;

	return members && !is_listed(members, name);
}

/* ---- accounts ---- */

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
		    in_group(now, gid) && !lacks_member(c, u->groups.items[i], u->name))
			continue;
		strbuf_str(&list, list.len ? "," : "");
		strbuf_str(&list, u->groups.items[i]);
	}
	return list.data;
}

/* The mode of a new home, as useradd(8) has it from login.defs(5). */
static const char *home_mode(const struct step_ctx *c)
{
	const char *text = database(c, "/etc/login.defs");
	unsigned mode = 0755, mask;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " HOME_MODE %o", &mode) == 1)
			break;
		if (sscanf(line, " UMASK %o", &mask) == 1)
			mode = 0777 & ~mask;
	}
	return arena_printf(c->arena, "--mode=%04o", mode & 0777);
}

/* Made under a temporary name, so that it appears complete or not at all. What an earlier try left
 * there may be its owner's by now, links and all: nothing is written into it. */
static void add_home(const struct step_ctx *c, const char *user, const char *home,
                     struct user_todo *t)
{
	const char *temp = arena_printf(c->arena, "%s.hpc-new", home);
	const char *slash = strrchr(home, '/');
	struct err ignored; /* then cp tells */

	t->home_in = slash == home ? "/" : arena_memdup(c->arena, home, (size_t)(slash - home));
	t->home_new = temp;
	t->owner = user;
	struct user_command *clear = new_command(t, "rm");
	add_arg(clear, "-rf", "--one-file-system");
	add_arg(clear, NULL, temp);
	struct user_command *above = new_command(t, "mkdir");
	add_arg(above, "-p", t->home_in);
	struct user_command *make = new_command(t, "mkdir");
	add_arg(make, home_mode(c), temp);
	if (host_lookup(c->host, "/etc/skel", &ignored) != 0) {
		struct user_command *copy = new_command(t, "cp");

		add_arg(copy, "-rT", "/etc/skel");
		add_arg(copy, NULL, temp);
	}
	struct user_command *own = new_command(t, "chown");
	add_arg(own, "-Rh", arena_printf(c->arena, "%s:", user));
	add_arg(own, NULL, temp);
	struct user_command *move = new_command(t, "mv");
	add_arg(move, "-T", temp);
	add_arg(move, NULL, home);
}

static int todo_new_user(const struct step_ctx *c, const struct user_spec *u, struct user_todo *t,
                         struct err *e)
{
	const char *group = u->group ? u->group : u->name;
	const char *more = missing_groups(c, u, NULL);
	const char *home =
	        u->home || !u->create_home ? u->home : arena_printf(c->arena, "/home/%s", u->name);
	gid_t gid;
	int there = look_at_group(c, group, u->gid, &gid, e);

	if (there < 0)
		return there;
	bool own = !there && !u->group && u->gid < 0; /* useradd makes it, with the uid's number */
	if (!there && u->gid >= 0)
		add_groupadd(t, c->arena, group, u->gid, u->system);

	struct user_command *add = new_command(t, "useradd");
	add_id(add, c->arena, "--uid", u->uid >= 0 ? u->uid : u->new_uid);
	add_arg(add, own ? "--user-group" : "--gid", own ? NULL : group);
	add_arg(add, more ? "--groups" : NULL, more);
	add_arg(add, home ? "--home-dir" : NULL, home);
	add_arg(add, "--no-create-home", NULL);
	/* A uid that is new here has no entry in lastlog or faillog that it could take over. */
	add_arg(add, "--no-log-init", NULL);
	add_arg(add, "--shell",
	        u->shell    ? u->shell
	        : u->system ? "/usr/sbin/nologin"
	                    : "/bin/bash");
	add_arg(add, u->system ? "--system" : NULL, NULL);
	add_arg(add, NULL, u->name);
	int made = u->create_home ? host_lookup(c->host, home, e) : 1;
	if (made == 0)
		add_home(c, u->name, home, t);
	return made < 0 ? made : 0;
}

static int todo_old_user(const struct step_ctx *c, const struct user_spec *u,
                         const struct host_user *now, struct user_todo *t, struct err *e)
{
	const char *group = u->group ? u->group : u->gid >= 0 ? u->name : NULL;
	const char *more = missing_groups(c, u, now);
	struct user_command mod = {.n = 1, .argv = {"usermod"}};
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

static void add_subids(const struct step_ctx *c, const char *name, struct user_todo *t)
{
	static const char *const files[][2] = {{"/etc/subuid", "--add-subuids"},
	                                       {"/etc/subgid", "--add-subgids"}};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *text = database(c, files[i][0]);
		uint64_t from = free_subids(text);

		if (!text || names(c, text, name))
			continue;
		struct user_command *mod = new_command(t, "usermod");
		add_arg(mod, files[i][1],
		        arena_printf(c->arena, "%llu-%llu", (unsigned long long)from,
		                     (unsigned long long)from + SUBIDS_COUNT - 1));
		add_arg(mod, NULL, name);
	}
}

/* A group that is in group only. */
static void add_gshadow(const struct step_ctx *c, const char *group, struct user_todo *t)
{
	const char *groups = database(c, "/etc/group"), *gshadow = database(c, "/etc/gshadow");

	if (!groups || !gshadow || !names(c, groups, group) || names(c, gshadow, group))
		return;
	struct user_command *mod = new_command(t, "groupmod");
	add_arg(mod, "--password", "!");
	add_arg(mod, NULL, group);
}

static int todo_half_user(const struct step_ctx *c, const struct user_spec *u,
                          const struct host_user *now, struct user_todo *t, struct err *e)
{
	const char *passwd = database(c, "/etc/passwd"), *shadow = database(c, "/etc/shadow");
	const char *groups = database(c, "/etc/group"), *home = u->home;
	const char *gid = arena_printf(c->arena, "%u", now->gid);

	if (now->uid == 0 || !passwd || !names(c, passwd, u->name))
		return 0;
	if (groups && !field_where(c, groups, 2, gid, 0) && !names(c, groups, u->name))
		add_groupadd(t, c->arena, u->name, now->gid, u->system);
	add_gshadow(c, u->name, t);
	if (shadow && !names(c, shadow, u->name)) {
		struct user_command *mod = new_command(t, "usermod");
		add_arg(mod, "--password", "!");
		add_arg(mod, NULL, u->name);
	}
	/* An account whose home is not the default one was not made by us. */
	if (!home && str_eq(now->home, arena_printf(c->arena, "/home/%s", u->name)))
		home = now->home;
	if (!u->create_home || !home)
		return 0;
	int made = host_lookup(c->host, home, e);
	if (made != 0)
		return made < 0 ? made : 0;
	if (!u->system)
		add_subids(c, u->name, t);
	add_home(c, u->name, home, t);
	return 0;
}

static int todo_there(const struct step_ctx *c, const struct user_spec *u,
                      const struct host_user *now, struct user_todo *t, struct err *e)
{
	int r = todo_old_user(c, u, now, t, e);

	if (r < 0)
		return r;
	return host_mode(c->host) == HOST_LIVE ? todo_half_user(c, u, now, t, e) : 0;
}

int user_todo_user(const struct step_ctx *c, const struct user_spec *u, struct user_todo *t,
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

int user_todo_group(const struct step_ctx *c, const struct group_spec *g, struct user_todo *t,
                    struct err *e)
{
	bool wanted = g->state == ACCOUNT_PRESENT;
	gid_t gid;
	int there = look_at_group(c, g->name, wanted ? g->gid : -1, &gid, e);

	if (there < 0)
		return there;
	if (wanted && !there)
		add_groupadd(t, c->arena, g->name, g->gid, g->system);
	if (wanted && there && host_mode(c->host) == HOST_LIVE)
		add_gshadow(c, g->name, t);
	if (!wanted && there)
		add_arg(new_command(t, "groupdel"), NULL, g->name);
	return 0;
}
