/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a directory tree by descriptors; used to measure, search, copy or remove it. */
#include "os/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/scope.h"
#include "base/str.h"

#define NAME_SPACE 256 /* of one component, with its slash or NUL */

struct walk {
	const struct tree_walk *want;
	dev_t dev; /* of the top */
	unsigned depth_max;
	size_t entries, entries_max;
	char *path;
	size_t path_len;
};

static int walk_dir(struct walk *w, int dir, unsigned depth, struct err *e);

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* All names are read before the first is visited: the visitor may remove them. */
static int list(struct walk *w, int dir, struct arena *a, const char ***ret, size_t *ret_n,
                struct err *e)
{
	scope_fd int own = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	scope_dir DIR *d = own < 0 ? NULL : fdopendir(own);
	const char **names = NULL, *what = w->path_len ? w->path : ".";
	const struct dirent *entry;
	size_t n = 0;

	if (!d)
		return err_errno(e, errno, "listing '%s'", what);
	(void)steal_fd(&own);
	rewinddir(d); /* the position is shared with the caller's descriptor */
	for (errno = 0; (entry = readdir(d)); errno = 0) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (++w->entries > w->entries_max)
			return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, EOVERFLOW,
			               "listing '%s': the tree has more than %zu entries", what,
			               w->entries_max);
		names = arena_grow(a, names, &n, sizeof *names);
		names[n - 1] = arena_strdup(a, entry->d_name);
	}
	if (errno)
		return err_errno(e, errno, "listing '%s'", what);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	*ret = names;
	*ret_n = n;
	return 0;
}

/* A failure that the caller wants to be ignored. */
static bool is_left_out(const struct walk *w, int no)
{
	return w->want->unreadable || (w->want->changing && no == ENOENT);
}

static int enter(struct walk *w, const struct tree_entry *at, struct err *e)
{
	struct stat st;

	if (at->depth >= w->depth_max)
		return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, ELOOP,
		               "entering '%s': it lies more than %u directories deep", at->path,
		               w->depth_max);
	scope_fd int fd =
	        openat(at->dir, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && is_left_out(w, errno))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "opening '%s'", at->path);
	/* Something may have been mounted on it since it was examined. */
	if (w->want->one_fs && st.st_dev != w->dev)
		return 0;
	return walk_dir(w, fd, at->depth, e);
}

/* An overlay's files have the devices of its layers, its directories its own; so of a file only the
 * mount itself tells. */
static bool is_elsewhere(const struct walk *w, const struct tree_entry *at, const struct stat *st)
{
	struct statx sx;

	if (!w->want->one_fs || st->st_dev == w->dev)
		return false;
	if (S_ISDIR(st->st_mode) ||
	    statx(at->dir, at->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &sx) < 0 ||
	    !(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return true;
	return sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int walk_entry(struct walk *w, struct tree_entry *at, struct err *e)
{
	struct stat st;

	if (fstatat(at->dir, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_left_out(w, errno) ? 0 : err_errno(e, errno, "looking at '%s'", at->path);
	if (is_elsewhere(w, at, &st))
		return 0;
	at->st = &st;
	int r = w->want->visit(w->want->ctx, at, e);
	if (r != TREE_GO || !S_ISDIR(st.st_mode))
		return r < 0 ? r : 0;
	r = enter(w, at, e);
	if (r < 0 || !w->want->after)
		return r;
	at->below_done = true;
	r = w->want->visit(w->want->ctx, at, e);
	return r < 0 ? r : 0;
}

static int walk_dir(struct walk *w, int dir, unsigned depth, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	size_t before = w->path_len, start = before ? before + 1 : 0;
	const char **names = NULL;
	size_t n = 0;
	int r = list(w, dir, a, &names, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct tree_entry at = {
		        .dir = dir, .name = names[i], .path = w->path, .depth = depth + 1};
		size_t len = strlen(names[i]);

		if (before)
			w->path[before] = '/';
		memcpy(w->path + start, names[i], len + 1);
		w->path_len = start + len;
		r = walk_entry(w, &at, e);
		w->path_len = before;
		w->path[before] = '\0';
		if (r < 0)
			return r;
	}
	return 0;
}

int tree_walk(int dir, const struct tree_walk *want, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct walk w = {
	        .want = want,
	        .depth_max = want->depth ? want->depth : TREE_DEPTH_MAX,
	        .entries_max = want->entries ? want->entries : TREE_ENTRIES_MAX,
	};
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_errno(e, errno, "looking at the top of a tree");
	w.dev = st.st_dev;
	w.path = arena_alloc(a, (size_t)w.depth_max * NAME_SPACE);
	return walk_dir(&w, dir, 0, e);
}

/* ---- removal ---- */

struct removal {
	int r; /* result for the first that could not be removed */
	struct err first;
};

static int remove_entry(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct removal *rm = ctx;
	bool dir = S_ISDIR(at->st->st_mode);

	(void)e; /* a failure doesn't end the walk */
	if (dir && !at->below_done)
		return TREE_GO;
	if (unlinkat(at->dir, at->name, dir ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT &&
	    rm->r == 0)
		rm->r = err_errno(&rm->first, errno, "removing '%s'", at->path);
	return TREE_GO;
}

int tree_empty(int dir, bool one_fs, struct err *e)
{
	struct removal rm = {0};
	struct tree_walk w = {.visit = remove_entry,
	                      .ctx = &rm,
	                      .after = true,
	                      .one_fs = one_fs,
	                      .changing = true,
	                      .unreadable = true};
	int r = tree_walk(dir, &w, e);

	if (r < 0 || rm.r == 0)
		return r;
	*e = rm.first;
	return rm.r;
}

int tree_remove(int dirfd, const char *name, bool one_fs, struct err *e)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(e, errno, "removing '%s'", name);
	scope_fd int dir = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? 0 : tree_empty(dir, one_fs, e);
	if (r < 0)
		return err_wrap(e, "removing '%s'", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_errno(e, errno, "removing '%s'", name);
	return 0;
}
