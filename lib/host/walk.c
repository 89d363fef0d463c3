/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a path step by step, and follows no link that a user may have planted. */
#include "host/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/scope.h"
#include "host/host_own.h"

#define LINKS_MAX 40 /* as the kernel, path_resolution(7) */

static int open_plain(int dir, const char *path, int flags)
{
	struct open_how how = {
	        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
	        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

struct walk {
	int root, flags;
	bool fixed;
	uid_t owner;              /* of the root directory */
	char done[HOST_PATH_MAX]; /* without links; "" for the root */
	char rest[HOST_PATH_MAX]; /* not yet walked */
	unsigned links;
};

static bool is_trusted(const struct walk *w, uid_t uid)
{
	return uid == 0 || uid == w->owner || uid == geteuid();
}

/* Whether others than the owner and root can write to it. */
static bool is_open(const struct stat *dir)
{
	return dir->st_mode & S_IWOTH || (dir->st_mode & S_IWGRP && dir->st_gid != 0);
}

/* Whether no other user can replace this entry of the directory. */
static bool is_fixed(const struct walk *w, const struct stat *dir, const struct stat *entry)
{
	if (!is_trusted(w, dir->st_uid))
		return false;
	return !is_open(dir) || (dir->st_mode & S_ISVTX && is_trusted(w, entry->st_uid));
}

/* Puts the link's text in front of the rest of the path. */
static int put_in_front(struct walk *w, int link)
{
	char text[HOST_PATH_MAX], rest[HOST_PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof text - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (*text == '/')
		w->done[0] = '\0';
	int len = snprintf(rest, sizeof rest, "%s/%s", text, w->rest);
	if (len < 0 || (size_t)len >= sizeof rest)
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, (size_t)len + 1);
	return 0;
}

/* Splits off the next component; false: there is none. */
static bool next(struct walk *w, char name[static 256])
{
	size_t blank = strspn(w->rest, "/"), len = strcspn(w->rest + blank, "/");

	if (len == 0 || len > 255)
		return false;
	memcpy(name, w->rest + blank, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + blank + len, strlen(w->rest + blank + len) + 1);
	return true;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Walks one component; the directory is reopened by its path, which has no links. */
static int step(struct walk *w, const char *name)
{
	scope_fd int dir = open_plain(w->root, *w->done ? w->done : "/", O_PATH | O_DIRECTORY);
	struct stat in, st;

	if (dir < 0)
		return dir;
	if (str_eq(name, ".."))
		*(strrchr(w->done, '/') ? strrchr(w->done, '/') : w->done) = '\0';
	if (str_eq(name, ".") || str_eq(name, ".."))
		return 0;
	scope_fd int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || fstat(dir, &in) < 0)
		return -errno;
	bool follow = S_ISLNK(st.st_mode) && !(is_last(w) && w->flags & O_NOFOLLOW);
	if (w->fixed && !is_fixed(w, &in, &st))
		return -ELOOP;
	if (follow && (!is_trusted(w, in.st_uid) || !is_trusted(w, st.st_uid)))
		return -ELOOP;
	if (follow)
		return put_in_front(w, fd);
	size_t at = strlen(w->done);
	int len = snprintf(w->done + at, sizeof w->done - at, "/%s", name);
	return len < 0 || (size_t)len >= sizeof w->done - at ? -ENAMETOOLONG : 0;
}

static int walk(int root, const char *path, int flags, bool fixed)
{
	struct walk w = {.root = root, .flags = flags, .fixed = fixed};
	char name[256];
	struct stat st;

	if (fstat(root, &st) < 0)
		return -errno;
	w.owner = st.st_uid;
	if ((size_t)snprintf(w.rest, sizeof w.rest, "%s", path) >= sizeof w.rest)
		return -ENAMETOOLONG;
	while (next(&w, name)) {
		int r = step(&w, name);
		if (r < 0)
			return r;
	}
	if (!is_last(&w))
		return -ENAMETOOLONG;
	return open_plain(root, *w.done ? w.done : "/", flags);
}

int walk_open(int root, const char *path, int flags)
{
	/* If there is no link at all the kernel does it in one step. */
	int fd = open_plain(root, path, flags);

	return fd == -ELOOP ? walk(root, path, flags, false) : fd;
}

int walk_open_fixed(int root, const char *path, int flags)
{
	return walk(root, path, flags, true);
}

int walk_open_closed(int root, const char *path)
{
	scope_fd int fd = walk(root, path, O_PATH | O_DIRECTORY, true);
	struct walk w = {.root = root};
	struct stat top, st;

	if (fd < 0)
		return fd;
	if (fstat(root, &top) < 0 || fstat(fd, &st) < 0)
		return -errno;
	w.owner = top.st_uid;
	return is_open(&st) || !is_trusted(&w, st.st_uid) ? -ELOOP : steal_fd(&fd);
}

int walk_failed(struct err *e, int no, const char *doing, const char *path)
{
	if (no != ELOOP)
		return err_errno(e, no, "%s '%s'", doing, path);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, ELOOP,
	               "%s '%s': a user may have put a link on the way to it, which root's work "
	               "does not follow",
	               doing, path);
}
