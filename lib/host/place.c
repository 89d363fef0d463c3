/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up paths of a host, and creates their directories. */
#include "host/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/scope.h"
#include "host/walk.h"

int place_at(const char *path, struct place *ret, struct err *e)
{
	if (!host_path_tidy(path, ret->path))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "using '%s': not an absolute path of less than %d bytes", path,
		               HOST_PATH_MAX);
	ret->name = strrchr(ret->path, '/') + 1;

	size_t n = (size_t)(ret->name - ret->path) - 1;
	memcpy(ret->dir, ret->path, n);
	memcpy(ret->dir + n, n ? "" : "/", n ? 1 : 2);
	return 0;
}

static const char *name_or_number(const char *name, unsigned id, char number[static 12])
{
	snprintf(number, 12, "%u", id);
	return name ? name : id ? number : "root";
}

const char *place_owner_text(const struct host_owner *o, char out[static 128])
{
	static const struct host_owner root = {0};
	char uid[12], gid[12];

	o = o ? o : &root;
	snprintf(out, 128, "%s:%s", name_or_number(o->user, o->uid, uid),
	         name_or_number(o->group, o->gid, gid));
	return out;
}

int place_owner_ids(struct host *h, const struct host_owner *o, uid_t *uid, gid_t *gid,
                    struct err *e)
{
	int r = host_owner_ids(h, o, uid, gid, e);

	if (r == -ENOENT && h->mode == HOST_DRY) {
		*uid = (uid_t)-1;
		*gid = (gid_t)-1;
		return 0;
	}
	return r;
}

int place_open(struct host *h, const char *path, int flags)
{
	return walk_open(h->root_fd, path, flags | O_NOFOLLOW);
}

int place_stat(struct host *h, const char *path, struct stat *ret)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);

	if (assumed) {
		*ret = assumed->st;
		return assumed->st.st_mode ? 0 : -ENOENT;
	}
	scope_fd int fd = place_open(h, path, O_PATH);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

bool place_attr_is(const struct stat *st, mode_t type, unsigned mode, uid_t uid, gid_t gid)
{
	return (st->st_mode & S_IFMT) == type && (st->st_mode & 07777) == mode &&
	       st->st_uid == uid && st->st_gid == gid;
}

int place_mkdirat(int dir, const char *name, mode_t mode)
{
	mode_t mask = umask(0);
	int r = mkdirat(dir, name, mode) < 0 ? -errno : 0;

	umask(mask);
	return r;
}

/* Opens the directory `part` below root, first creating it in `parent` if it is missing; with its
 * final mode from the beginning, since after a kill the next run doesn't set it again. */
static int open_or_make(int dirfd, const char *part, int parent, bool *made)
{
	const char *name = strrchr(part, '/') + 1;
	int fd = walk_open(dirfd, part, O_PATH | O_DIRECTORY);

	if (fd != -ENOENT)
		return fd;
	int r = place_mkdirat(parent, name, 0755);
	if (r < 0 && r != -EEXIST)
		return r;
	*made = true;
	return walk_open(dirfd, part, O_PATH | O_DIRECTORY);
}

int host_make_dirs(int dirfd, const char *path)
{
	char part[HOST_PATH_MAX];
	scope_fd int at = walk_open(dirfd, path, O_PATH | O_DIRECTORY);
	bool made = false;

	if (at >= 0 || at != -ENOENT)
		return at < 0 ? at : 0;
	if (!host_path_tidy(path, part))
		return -EINVAL;
	at = walk_open(dirfd, "/", O_PATH | O_DIRECTORY);
	for (char *slash = part; at >= 0 && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		int next = open_or_make(dirfd, part, at, &made);
		scope_close(&at);
		at = next;
		if (slash)
			*slash = '/';
	}
	return at < 0 ? at : made;
}

void place_assume_dir(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	struct host_assumed *made = host_assume(h, "path:%s", path);

	made->st = (struct stat){.st_mode = S_IFDIR | mode, .st_uid = uid, .st_gid = gid};
}

int place_make_dirs(struct host *h, const char *path, struct err *e)
{
	char part[HOST_PATH_MAX];
	struct stat st;
	int made = 0;

	if (h->mode == HOST_LIVE) {
		made = host_make_dirs(h->root_fd, path);
		if (made < 0)
			return walk_failed(e, -made, "creating", path);
	} else {
		snprintf(part, sizeof part, "%s", path);
		for (char *slash = part; slash && path[1];) {
			slash = strchr(slash + 1, '/');
			if (slash)
				*slash = '\0';
			if (place_stat(h, part, &st) < 0) {
				place_assume_dir(h, part, 0755, 0, 0);
				made = 1;
			}
			if (slash)
				*slash = '/';
		}
	}
	if (made)
		host_record(h, "mkdir %s 0755 root:root", path);
	return 0;
}
