/* SPDX-License-Identifier: Apache-2.0 */
/* Makes directories and links, and removes what is there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/scope.h"
#include "host/place.h"
#include "host/walk.h"

/* Through a descriptor, so that exactly the directory that was checked is changed. */
static int set_dir_attr(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	scope_fd int fd = place_open(h, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

static int make_one(struct host *h, const struct place *p)
{
	scope_fd int dir = walk_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY);

	if (dir < 0)
		return dir;
	return place_mkdirat(dir, p->name, 0700);
}

static int make_or_change(struct host *h, const struct place *p, bool exists, unsigned mode,
                          uid_t uid, gid_t gid)
{
	if (h->mode == HOST_DRY) {
		place_assume_dir(h, p->path, mode, uid, gid);
		return 0;
	}
	int r = exists ? 0 : make_one(h, p);
	if (r < 0)
		return r;
	return set_dir_attr(h, p->path, mode, uid, gid);
}

int host_dir_is(struct host *h, const char *path, unsigned mode, const struct host_owner *o,
                struct err *e)
{
	struct place p;
	struct stat st;
	uid_t uid;
	gid_t gid;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = place_stat(h, p.path, &st);
	if (r < 0)
		return r == -ENOENT ? 0 : walk_failed(e, -r, "looking at", path);
	return place_attr_is(&st, S_IFDIR, mode, uid, gid);
}

int host_dir_closed(struct host *h, const char *path, struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	for (;;) {
		scope_fd int fd = walk_open_closed(h->root_fd, *p.path ? p.path : "/");

		if (fd >= 0)
			return 0;
		if (fd != -ENOENT || !*p.path)
			return walk_failed(e, -fd, "using", path);
		*strrchr(p.path, '/') = '\0';
	}
}

int host_mkdir(struct host *h, const char *path, unsigned mode, const struct host_owner *o,
               struct err *e)
{
	char owner[128];
	struct place p;
	struct stat st;
	uid_t uid;
	gid_t gid;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r;
	int there = place_stat(h, p.path, &st);
	if (there < 0 && there != -ENOENT)
		return walk_failed(e, -there, "looking at", path);
	if (there == 0 && place_attr_is(&st, S_IFDIR, mode, uid, gid))
		return 0;
	if (there == 0 && !S_ISDIR(st.st_mode))
		return err_errno(e, ENOTDIR, "creating the directory '%s'", path);

	r = there == 0 ? 0 : place_make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	r = make_or_change(h, &p, there == 0, mode, uid, gid);
	if (r < 0)
		return walk_failed(e, -r, "creating the directory", path);
	host_record(h, "%s %s %04o %s", there == 0 ? "chmod" : "mkdir", p.path, mode,
	            place_owner_text(o, owner));
	return 0;
}

/* 1: a link with exactly this text; 0: anything else, or missing. */
static int link_is(struct host *h, const struct place *p, const char *target)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", p->path);
	char now[HOST_PATH_MAX];

	if (assumed)
		return S_ISLNK(assumed->st.st_mode) && str_eq(assumed->text, target);
	scope_fd int fd = place_open(h, p->path, O_PATH);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ssize_t n = readlinkat(fd, "", now, sizeof now - 1);
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	now[n] = '\0';
	return str_eq(now, target);
}

static int link_new(struct host *h, const struct place *p, const char *target)
{
	char temp[280];
	scope_fd int dir = walk_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY);

	if (dir < 0)
		return dir;
	uint32_t random;

	snprintf(temp, sizeof temp, ".%.240s.hpc-new", p->name);
	/* Left by a killed run; what can't be removed isn't ours. */
	if (unlinkat(dir, temp, 0) < 0 && errno != ENOENT &&
	    getrandom(&random, sizeof random, 0) == sizeof random)
		snprintf(temp, sizeof temp, ".%.230s.%08x.hpc-new", p->name, random);
	if (symlinkat(target, dir, temp) < 0)
		return -errno;
	if (renameat(dir, temp, dir, p->name) == 0)
		return 0;
	int no = errno;
	unlinkat(dir, temp, 0);
	return -no;
}

int host_link_is(struct host *h, const char *path, const char *target, struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = link_is(h, &p, target);
	return r < 0 ? walk_failed(e, -r, "looking at", path) : r;
}

int host_symlink(struct host *h, const char *target, const char *path, struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = link_is(h, &p, target);
	if (r > 0)
		return 0;
	if (r < 0)
		return walk_failed(e, -r, "looking at", path);
	r = place_make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	if (h->mode == HOST_LIVE) {
		r = link_new(h, &p, target);
		if (r < 0)
			return err_errno(e, -r, "linking '%s' to '%s'", path, target);
	} else {
		struct host_assumed *made = host_assume(h, "path:%s", p.path);

		made->st.st_mode = S_IFLNK | 0777;
		made->text = arena_strdup(h->arena, target);
	}
	host_record(h, "symlink %s -> %s", p.path, target);
	return 0;
}

int host_remove(struct host *h, const char *path, struct err *e)
{
	struct place p;
	struct stat st;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_stat(h, p.path, &st);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return walk_failed(e, -r, "looking at", path);
	if (h->mode == HOST_DRY) {
		host_assume(h, "path:%s", p.path);
	} else {
		scope_fd int dir = walk_open(h->root_fd, p.dir, O_PATH | O_DIRECTORY);

		if (dir < 0)
			return walk_failed(e, -dir, "removing", path);
		if (unlinkat(dir, p.name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
			return err_errno(e, errno, "removing '%s'", path);
	}
	host_record(h, "remove %s", p.path);
	return 0;
}
