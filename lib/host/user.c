/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups. For the running machine through NSS, as every program there sees
 * them; for another root by reading its passwd and group files, since this machine's NSS
 * doesn't know them.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "base/scope.h"
#include "host/host_own.h"

#define DB_MAX     (4 << 20) /* bytes of a root's passwd or group file */
#define ENTRY_MAX  (1 << 16) /* bytes of one entry */
#define GROUPS_MAX 256       /* supplementary groups of one user */

/* The root's file as a stream; NULL: there is none. The arena keeps the bytes. */
static FILE *db_open(struct host *h, const char *path, struct arena *a)
{
	struct blob text;
	struct err e;

	if (file_read(h->root_fd, path, DB_MAX, a, &text, &e) < 0 || text.len == 0)
		return NULL;
	return fmemopen((void *)(uintptr_t)text.data, text.len, "re");
}

/* The getXXnam_r functions only agree on this: 0 and a NULL result mean that there is no such
 * entry. */
static int find_user(struct host *h, const char *name, struct arena *a, struct passwd *pw)
{
	char *buf = arena_alloc(a, ENTRY_MAX);
	struct passwd *found = NULL;

	if (h->running) {
		int no = getpwnam_r(name, pw, buf, ENTRY_MAX, &found);
		return found ? 0 : no ? -no : -ENOENT;
	}
	scope_file FILE *f = db_open(h, "/etc/passwd", a);
	while (f && fgetpwent_r(f, pw, buf, ENTRY_MAX, &found) == 0)
		if (str_eq(pw->pw_name, name))
			return 0;
	return -ENOENT;
}

static int find_group(struct host *h, const char *name, struct arena *a, gid_t *ret)
{
	char *buf = arena_alloc(a, ENTRY_MAX);
	struct group gr, *found = NULL;

	if (h->running) {
		int no = getgrnam_r(name, &gr, buf, ENTRY_MAX, &found);
		if (!found)
			return no ? -no : -ENOENT;
		*ret = gr.gr_gid;
		return 0;
	}
	scope_file FILE *f = db_open(h, "/etc/group", a);
	while (f && fgetgrent_r(f, &gr, buf, ENTRY_MAX, &found) == 0) {
		if (!str_eq(gr.gr_name, name))
			continue;
		*ret = gr.gr_gid;
		return 0;
	}
	return -ENOENT;
}

static bool is_member(const struct group *gr, const char *name)
{
	for (char **m = gr->gr_mem; *m; m++)
		if (str_eq(*m, name))
			return true;
	return false;
}

/* initgroups(3), but as a list: the caller sets it in a child. */
static size_t supplementary(struct host *h, const char *name, gid_t first, struct arena *a,
                            gid_t *list)
{
	struct group gr, *found;
	int n = GROUPS_MAX;

	if (h->running) {
		if (getgrouplist(name, first, list, &n) < 0)
			n = GROUPS_MAX;
		return (size_t)n;
	}
	char *buf = arena_alloc(a, ENTRY_MAX);
	scope_file FILE *f = db_open(h, "/etc/group", a);
	list[0] = first;
	n = 1;
	while (f && n < GROUPS_MAX && fgetgrent_r(f, &gr, buf, ENTRY_MAX, &found) == 0)
		if (gr.gr_gid != first && is_member(&gr, name))
			list[n++] = gr.gr_gid;
	return (size_t)n;
}

int host_user(struct host *h, const char *name, struct arena *a, struct host_user *ret,
              struct err *e)
{
	struct passwd pw;
	int r = find_user(h, name, a, &pw);

	if (r < 0)
		return err_set(e, ERR_HOST, REASON_HOST_USER, -r, "looking up user '%s': %s", name,
		               r == -ENOENT ? "no such user" : strerror(-r));

	gid_t *groups = arena_array(a, GROUPS_MAX, sizeof *groups);
	*ret = (struct host_user){
	        .name = pw.pw_name,
	        .home = pw.pw_dir,
	        .shell = pw.pw_shell,
	        .uid = pw.pw_uid,
	        .gid = pw.pw_gid,
	        .groups = groups,
	        .n_groups = supplementary(h, name, pw.pw_gid, a, groups),
	};
	return 0;
}

int host_group(struct host *h, const char *name, gid_t *ret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	int r = find_group(h, name, a, ret);

	if (r < 0)
		return err_set(e, ERR_HOST, REASON_HOST_USER, -r, "looking up group '%s': %s", name,
		               r == -ENOENT ? "no such group" : strerror(-r));
	return 0;
}

/* root is 0 even in a root that has no passwd file yet. */
static bool is_root(const char *name)
{
	return !name || str_eq(name, "root");
}

int host_owner_ids(struct host *h, const struct host_owner *o, uid_t *ret_uid, gid_t *ret_gid,
                   struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct host_user user = {.uid = o && !o->user ? o->uid : 0};
	gid_t gid = o && !o->group ? o->gid : 0;

	if (o && !is_root(o->user)) {
		int r = host_user(h, o->user, a, &user, e);
		if (r < 0)
			return r;
	}
	if (o && !is_root(o->group)) {
		int r = host_group(h, o->group, &gid, e);
		if (r < 0)
			return r;
	}
	*ret_uid = user.uid;
	*ret_gid = gid;
	return 0;
}
