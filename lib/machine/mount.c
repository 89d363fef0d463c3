/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts; only mountinfo counts as proof of success. */
#include <errno.h>

#include "base/clock.h"
#include "machine/mount_own.h"

#define LOOK_MS    5000  /* to resolve a path or a name */
#define CONNECT_MS 3000  /* to accept a connection */
#define ANSWER_MS  10000 /* to answer a statfs(2) */

static uint64_t within(uint64_t deadline, uint64_t ms)
{
	return clock_min(deadline, clock_in_ms(ms));
}

static bool is_bind(const struct host_mount *m)
{
	return str_eq(m->fstype, "bind") || mount_has_option(m->options, "bind") ||
	       mount_has_option(m->options, "rbind");
}

/* What is mounted at a resolved path, including a dry host's assumptions. */
static void mounted_at(const struct host *h, const struct mount_table *t, const char *target,
                       struct arena *a, struct host_mounted *ret)
{
	const struct host_assumed *assumed = host_assumed(h, "mount:%s", target);

	mount_table_at(t, target, a, ret);
	if (!assumed)
		return;
	*ret = (struct host_mounted){0};
	ret->items = arena_grow(a, NULL, &ret->n, sizeof *ret->items);
	ret->items[0] = *assumed->fs;
}

/* A target that mountinfo lists literally is not looked up on disk, which costs a process and may
 * hang on a dead server. */
static bool is_shown(const struct host *h, const struct mount_table *t, const char *target,
                     struct arena *a, char path[static HOST_PATH_MAX], struct host_mounted *ret)
{
	if (!h->self || !host_path_tidy(target, path))
		return false;
	mounted_at(h, t, path, a, ret);
	return ret->n > 0;
}

/* For a bind mount, mountinfo shows the underlying file system and the directory within it. */
static int want_bind(const struct mount_table *t, const struct mount_look *at, struct arena *a,
                     struct mount_want *w)
{
	const struct mount_line *around = mount_table_around(t, at->source);

	if (!around)
		return -ENOENT;
	const char *rest =
	        str_eq(around->target, "/") ? at->source : at->source + strlen(around->target);
	const char *root = str_eq(around->fs.root, "/") && *rest ? "" : around->fs.root;
	w->root = arena_printf(a, "%s%s", root, str_eq(rest, "/") && *root ? "" : rest);
	w->dev = around->fs.dev;
	return 0;
}

/* Whether the topmost mount is the wanted one. */
static bool holds(const struct mount_want *w, const struct host_mounted *there, uint64_t deadline)
{
	char host[256], addr[64];

	if (!there->n)
		return false;
	switch (mount_match(w, &there->items[0])) {
	case MOUNT_SAME:
		return true;
	case MOUNT_ASK_NAME:
		return mount_server(w->source, host) &&
		       mount_option(there->items[0].options, "addr", addr, sizeof addr) &&
		       mount_name_has(host, addr, within(deadline, LOOK_MS));
	case MOUNT_OTHER:
		break;
	}
	return false;
}

static void record(struct host *h, const struct host_mount *m, const struct mount_look *at)
{
	char path[HOST_PATH_MAX];

	if (!host_path_tidy(m->target, path))
		return;
	if (!at->exists && !host_assumed(h, "path:%s", path))
		host_record(h, "mkdir %s 0755 root:root", path);
	host_record(h, "mount %s %s %s %s", m->source, path, m->fstype,
	            m->options && *m->options ? m->options : "-");
}

static void assume(struct host *h, const struct host_mount *m, const struct mount_look *at,
                   const struct mount_want *w)
{
	struct host_mounted_fs *fs = arena_alloc(h->arena, sizeof *fs);
	char path[HOST_PATH_MAX];

	*fs = (struct host_mounted_fs){
	        .source = arena_strdup(h->arena, m->source),
	        .fstype = arena_strdup(h->arena, m->fstype),
	        .options = arena_strdup(h->arena, m->options ? m->options : ""),
	        .root = arena_strdup(h->arena, w->root ? w->root : "/"),
	        .dev = w->dev,
	};
	host_assume(h, "mount:%s", at->target)->fs = fs;
	if (!at->exists && host_path_tidy(m->target, path))
		host_assume(h, "path:%s", path)->st.st_mode = S_IFDIR | 0755;
}

/* Succeeds only if mountinfo shows the mount afterwards. */
static int mount_now(struct host *h, const struct host_mount *m, const struct mount_look *at,
                     const struct mount_want *w, struct arena *a, struct err *e)
{
	const char *what = arena_printf(a, "mounting '%s' at '%s'", m->source, m->target);
	struct host_mounted there;
	struct mount_table t;
	struct mount_try result;
	char line[200], silent[300];
	int r = mount_try(h, m, at, a, &result, e);

	if (r < 0)
		return r;
	r = mount_table_read(a, &t, e);
	if (r < 0)
		return r;
	mount_table_at(&t, at->target, a, &there);
	if (holds(w, &there, m->deadline)) {
		record(h, m, at);
		return result.answers
		               ? 0
		               : mount_answers(at->target, within(m->deadline, ANSWER_MS), e);
	}
	/* An absent server and one that hangs need different remedies. */
	if (result.hung && !mount_server_listens(m, clock_in_ms(CONNECT_MS), silent))
		result.silent = silent;
	if (result.hung || result.no || result.missing || result.status || result.syscall_no)
		return mount_error(&result, what, mount_is_network(m->source, m->fstype), e);
	host_last_line(result.errout, line, sizeof line);
	return err_set(e, ERR_RETRY, REASON_MOUNT_NOT_SEEN, EIO, "%s: reported as done, but %s%s%s",
	               what,
	               there.n ? "something else is mounted there" : "nothing is mounted there",
	               *line ? ": " : "", line);
}

/* The wanted mount in mountinfo's terms, and the existing one. */
struct survey {
	struct mount_want want;
	struct mount_look at;
	struct host_mounted there;
};

static int survey(struct host *h, const struct host_mount *m, struct arena *a, struct survey *ret,
                  struct err *e)
{
	bool network = mount_is_network(m->source, m->fstype);
	struct mount_want *w = &ret->want;
	struct mount_table t;

	if (!m->deadline)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "mounting at '%s': no deadline",
		               m->target);
	int r = mount_table_read(a, &t, e);
	if (r < 0)
		return r;
	ret->at = (struct mount_look){.exists = true};
	if (!network || !is_shown(h, &t, m->target, a, ret->at.target, &ret->there)) {
		r = mount_look(h, m->target, network ? NULL : m->source,
		               within(m->deadline, LOOK_MS), &ret->at, e);
		if (r < 0)
			return r;
	}
	*w = (struct mount_want){
	        .source = m->source, .fstype = m->fstype, .bind = is_bind(m), .dev = ret->at.dev};
	if (w->bind && want_bind(&t, &ret->at, a, w) < 0)
		return err_errno(e, ENOENT, "mounting '%s' at '%s'", m->source, m->target);
	mounted_at(h, &t, ret->at.target, a, &ret->there);
	return 0;
}

int host_mount_holds(struct host *h, const struct host_mount *m, struct arena *a, struct err *e)
{
	struct survey s;
	int r = survey(h, m, a, &s, e);

	if (r < 0)
		return r;
	if (!holds(&s.want, &s.there, m->deadline))
		return 0;
	r = h->mode == HOST_DRY ? 0 : mount_answers(s.at.target, within(m->deadline, ANSWER_MS), e);
	return r < 0 ? r : 1;
}

int host_mount(struct host *h, const struct host_mount *m, struct arena *a, struct err *e)
{
	struct survey s;
	int r = survey(h, m, a, &s, e);

	if (r < 0)
		return r;
	if (holds(&s.want, &s.there, m->deadline))
		return h->mode == HOST_DRY
		               ? 0
		               : mount_answers(s.at.target, within(m->deadline, ANSWER_MS), e);
	if (s.there.n)
		return err_set(e, ERR_HOST, REASON_MOUNT_BUSY, EBUSY,
		               "mounting '%s' at '%s': '%s' (%s) is mounted there already",
		               m->source, m->target, s.there.items[0].source,
		               s.there.items[0].fstype);
	if (h->mode == HOST_LIVE)
		return mount_now(h, m, &s.at, &s.want, a, e);
	record(h, m, &s.at);
	assume(h, m, &s.at, &s.want);
	return 0;
}
