/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that appear complete or not at all. */
#include "store/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/str.h"
#include "os/tree.h"

#define SUFFIX ".hpc-work"

/* Splits the output's path and opens its directory. */
static int open_parent(const char *output, struct work *w, char dir[static PATH_MAX], struct err *e)
{
	const char *slash = strrchr(output, '/');
	const char *name = slash ? slash + 1 : output;
	char parent[PATH_MAX];

	if (!*name || str_eq(name, ".") || str_eq(name, "..") || strlen(name) > 200 ||
	    strlen(output) >= sizeof parent - 256)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "writing '%s': not a usable file name", output);
	snprintf(w->name, sizeof w->name, "%s", name);
	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - output) + 1 : 1,
	         slash ? output : ".");
	if (!realpath(parent, dir))
		return err_errno(e, errno, "opening the directory of '%s'", output);
	w->parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->parent < 0)
		return err_errno(e, errno, "opening the directory of '%s'", output);
	return 0;
}

/* Another process may have removed the directory between our open and our lock. */
static bool still_there(const struct work *w)
{
	struct stat here, named;

	return fstat(w->fd, &here) == 0 && stat(w->path, &named) == 0 &&
	       here.st_ino == named.st_ino && here.st_dev == named.st_dev;
}

static int take(struct work *w)
{
	struct err ignored;

	if (mkdir(w->path, 0700) < 0 && errno != EEXIST)
		return -errno;
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	if (flock(w->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return still_there(w) ? tree_empty(w->fd, true, &ignored) : -EBUSY;
}

static int refuse(struct work *w, const char *output, int no, struct err *e)
{
	/* Not ours to empty: another process has the lock. */
	scope_close(&w->fd);
	scope_close(&w->parent);
	if (no == EBUSY)
		return err_set(e, ERR_BUSY, REASON_BUSY, EBUSY,
		               "writing '%s': another process is writing it", output);
	return err_errno(e, no, "making '%s'", w->path);
}

int work_open(const char *output, struct work *ret, struct err *e)
{
	struct work w = WORK_INIT;
	char dir[PATH_MAX];
	int r = open_parent(output, &w, dir, e);

	if (r < 0)
		return r;
	int n = snprintf(w.path, sizeof w.path, "%s/.%s" SUFFIX, str_eq(dir, "/") ? "" : dir,
	                 w.name);
	r = n < 0 || (size_t)n >= sizeof w.path ? -ENAMETOOLONG : take(&w);
	if (r < 0)
		return refuse(&w, output, -r, e);
	*ret = w;
	return 0;
}

/* A directory can't be renamed over existing files, nor anything over a directory: the two are
 * exchanged, and the old one is removed with the work directory. */
static int put_in_place(const struct work *w, const char *file, bool tree)
{
	struct stat old;
	bool there = fstatat(w->parent, w->name, &old, AT_SYMLINK_NOFOLLOW) == 0;
	unsigned flags = there && (tree || S_ISDIR(old.st_mode)) ? RENAME_EXCHANGE : 0;

	return renameat2(w->fd, file, w->parent, w->name, flags);
}

int work_publish(struct work *w, const char *file, struct err *e)
{
	scope_fd int fd = openat(w->fd, file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (S_ISDIR(st.st_mode) ? syncfs(fd) : fsync(fd)) < 0 ||
	    put_in_place(w, file, S_ISDIR(st.st_mode)) < 0 || fsync(w->parent) < 0)
		return err_errno(e, errno, "publishing '%s'", w->name);
	return 0;
}

void work_close(struct work *w)
{
	struct err ignored;

	if (w->fd >= 0 && tree_empty(w->fd, true, &ignored) == 0)
		(void)rmdir(w->path);
	scope_close(&w->fd);
	scope_close(&w->parent);
}

static int sweep_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	const char *dir = ctx;
	scope_arena struct arena *a = arena_new();

	(void)e;
	if (*at->name == '.' && str_ends(at->name, SUFFIX) && S_ISDIR(at->st->st_mode)) {
		struct work w = WORK_INIT;

		snprintf(w.path, sizeof w.path, "%s", arena_printf(a, "%s/%s", dir, at->name));
		if (take(&w) == 0)
			work_close(&w);
		else
			scope_close(&w.fd);
	}
	return TREE_PRUNE;
}

void work_sweep(const char *dir)
{
	const struct tree_walk walk = {.visit = sweep_one,
	                               .ctx = (void *)(uintptr_t)dir,
	                               .changing = true,
	                               .unreadable = true};
	scope_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored;

	if (fd >= 0)
		(void)tree_walk(fd, &walk, &ignored);
}
