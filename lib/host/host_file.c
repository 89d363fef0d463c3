/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/scope.h"
#include "host/host_own.h"

/* A path as asked for, tidied, with its owner resolved: what every call here begins with. */
struct place {
	char path[HOST_PATH_MAX];
	char dir[HOST_PATH_MAX];
	const char *name; /* in path */
};

static int place_at(const char *path, struct place *ret, struct err *e)
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

static const char *or_root(const char *name)
{
	return name ? name : "root";
}

static const char *owner_text(const struct host_owner *o, char out[static 128])
{
	snprintf(out, 128, "%s:%s", or_root(o ? o->user : NULL), or_root(o ? o->group : NULL));
	return out;
}

/* In a dry run an earlier, only recorded, change may be what makes the user. */
static int owner_ids(struct host *h, const struct host_owner *o, uid_t *uid, gid_t *gid,
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

/* Opens the thing itself, never what a link at its end points to; -errno. */
static int open_at(struct host *h, const char *path, int flags)
{
	return file_open(h->root_fd, path, flags | O_NOFOLLOW, 0);
}

static int stat_at(struct host *h, const char *path, struct stat *ret)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);

	if (assumed) {
		*ret = assumed->st;
		return assumed->st.st_mode ? 0 : -ENOENT;
	}
	scope_fd int fd = open_at(h, path, O_PATH);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int host_stat(struct host *h, const char *path, struct stat *ret, struct err *e)
{
	struct place p;
	struct stat st;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = stat_at(h, p.path, &st);
	if (r < 0)
		return err_errno(e, -r, "looking at '%s'", path);
	*ret = st;
	return 0;
}

bool host_exists(struct host *h, const char *path)
{
	struct place p;
	struct stat st;
	struct err e;

	return place_at(path, &p, &e) == 0 && stat_at(h, p.path, &st) == 0;
}

int host_read(struct host *h, const char *path, size_t max, struct arena *a, struct blob *ret,
              struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	const struct host_assumed *assumed = host_assumed(h, "path:%s", p.path);
	if (!assumed)
		return file_read(h->root_fd, p.path, max, a, ret, e);
	if (!S_ISREG(assumed->st.st_mode) || !assumed->content.data)
		return err_errno(e, assumed->st.st_mode ? EACCES : ENOENT, "reading '%s'", path);
	if (assumed->content.len > max)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "%s:1:1: file is larger than %zu bytes", path, max);
	*ret = (struct blob){arena_memdup(a, assumed->content.data, assumed->content.len),
	                     assumed->content.len};
	return 0;
}

/* 1: the open file has exactly this content; 0: not; -errno. */
static int content_is(int fd, struct blob want)
{
	char chunk[16384];
	size_t at = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return at == want.len;
		if ((size_t)n > want.len - at || memcmp(chunk, want.data + at, (size_t)n) != 0)
			return 0;
		at += (size_t)n;
	}
}

static bool attr_is(const struct stat *st, mode_t type, unsigned mode, uid_t uid, gid_t gid)
{
	return (st->st_mode & S_IFMT) == type && (st->st_mode & 07777) == mode &&
	       st->st_uid == uid && st->st_gid == gid;
}

static int file_is(struct host *h, const char *path, struct blob content, unsigned mode, uid_t uid,
                   gid_t gid, struct err *e)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);
	unsigned char digest[SHA256_LEN];
	struct stat st;

	if (assumed) {
		digest_sha256(content.data, content.len, digest);
		return attr_is(&assumed->st, S_IFREG, mode, uid, gid) &&
		       memcmp(digest, assumed->digest, sizeof digest) == 0;
	}
	scope_fd int fd = open_at(h, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return err_errno(e, -fd, "opening '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "looking at '%s'", path);
	if (!attr_is(&st, S_IFREG, mode, uid, gid) || (size_t)st.st_size != content.len)
		return 0;
	int same = content_is(fd, content);
	return same < 0 ? err_errno(e, -same, "reading '%s'", path) : same;
}

int host_file_is(struct host *h, const char *path, struct blob content, unsigned mode,
                 const struct host_owner *o, struct err *e)
{
	struct place p;
	uid_t uid;
	gid_t gid;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = host_owner_ids(h, o, &uid, &gid, e);
	/* Nothing can belong to someone who doesn't exist yet; a dry run assumes they will. */
	if (r == -ENOENT && h->mode == HOST_LIVE)
		return 0;
	if (r < 0)
		r = owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r;
	return file_is(h, p.path, content, mode, uid, gid, e);
}

/* Opens the directory `part` below root, creating it in `parent` first when it is missing. */
static int open_or_make(int dirfd, const char *part, int parent, bool *made)
{
	const char *name = strrchr(part, '/') + 1;
	int fd = file_open(dirfd, part, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (fchmodat(parent, name, 0755, 0) < 0)
		return -errno;
	*made = true;
	return file_open(dirfd, part, O_PATH | O_DIRECTORY, 0);
}

int host_make_dirs(int dirfd, const char *path)
{
	char part[HOST_PATH_MAX];
	scope_fd int at = file_open(dirfd, path, O_PATH | O_DIRECTORY, 0);
	bool made = false;

	if (at >= 0 || at != -ENOENT)
		return at < 0 ? at : 0;
	if (!host_path_tidy(path, part))
		return -EINVAL;
	at = file_open(dirfd, "/", O_PATH | O_DIRECTORY, 0);
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

static void assume_dir(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	struct host_assumed *new = host_assume(h, "path:%s", path);

	new->st = (struct stat){.st_mode = S_IFDIR | mode, .st_uid = uid, .st_gid = gid};
}

/* host_make_dirs for both modes, recorded as one line that names the deepest directory. */
static int make_dirs(struct host *h, const char *path, struct err *e)
{
	char part[HOST_PATH_MAX];
	struct stat st;
	int made = 0;

	if (h->mode == HOST_LIVE) {
		made = host_make_dirs(h->root_fd, path);
		if (made < 0)
			return err_errno(e, -made, "creating '%s'", path);
	} else {
		snprintf(part, sizeof part, "%s", path);
		for (char *slash = part; slash && path[1];) {
			slash = strchr(slash + 1, '/');
			if (slash)
				*slash = '\0';
			if (stat_at(h, part, &st) < 0) {
				assume_dir(h, part, 0755, 0, 0);
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

static int write_new(struct host *h, const struct place *p, struct blob content, unsigned mode,
                     uid_t uid, gid_t gid, bool secret, struct err *e)
{
	if (h->mode == HOST_LIVE) {
		struct file_attr attr = {.mode = mode, .uid = uid, .gid = gid};

		return file_replace(h->root_fd, p->path, content.data, content.len, &attr, e);
	}
	struct host_assumed *new = host_assume(h, "path:%s", p->path);
	new->st = (struct stat){.st_mode = S_IFREG | mode,
	                        .st_uid = uid,
	                        .st_gid = gid,
	                        .st_size = (off_t)content.len};
	digest_sha256(content.data, content.len, new->digest);
	if (!secret)
		new->content = (struct blob){arena_memdup(h->arena, content.data, content.len),
		                             content.len};
	return 0;
}

static int write_file(struct host *h, const char *path, struct blob content, unsigned mode,
                      const struct host_owner *o, bool secret, struct err *e)
{
	char owner[128], hex[SHA256_HEX];
	struct place p;
	uid_t uid;
	gid_t gid;
	int r = place_at(path, &p, e);

	if (r >= 0)
		r = owner_ids(h, o, &uid, &gid, e);
	if (r >= 0)
		r = file_is(h, p.path, content, mode, uid, gid, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	r = write_new(h, &p, content, mode, uid, gid, secret, e);
	if (r < 0) /* the floor below names only the last component */
		return err_set(e, e->kind, e->reason, e->no, "writing '%s': %s", p.path,
		               strerror(e->no));
	if (secret) {
		host_record(h, "write %s %04o %s secret", p.path, mode, owner_text(o, owner));
		return 0;
	}
	digest_hex(content.data, content.len, hex);
	host_record(h, "write %s %04o %s %zu bytes sha256:%.16s", p.path, mode,
	            owner_text(o, owner), content.len, hex);
	return 0;
}

int host_write(struct host *h, const char *path, struct blob content, unsigned mode,
               const struct host_owner *o, struct err *e)
{
	return write_file(h, path, content, mode, o, false, e);
}

int host_write_secret(struct host *h, const char *path, struct blob content, unsigned mode,
                      const struct host_owner *o, struct err *e)
{
	return write_file(h, path, content, mode, o, true, e);
}

/* Through a descriptor, so that what is changed is the directory that was looked at. */
static int set_dir_attr(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	scope_fd int fd = open_at(h, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

static int make_one(struct host *h, const struct place *p)
{
	scope_fd int dir = file_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY, 0);

	if (dir < 0)
		return dir;
	return mkdirat(dir, p->name, 0700) < 0 ? -errno : 0;
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

	if (r >= 0)
		r = owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r;
	int there = stat_at(h, p.path, &st);
	if (there < 0 && there != -ENOENT)
		return err_errno(e, -there, "looking at '%s'", path);
	if (there == 0 && attr_is(&st, S_IFDIR, mode, uid, gid))
		return 0;
	if (there == 0 && !S_ISDIR(st.st_mode))
		return err_errno(e, ENOTDIR, "creating the directory '%s'", path);

	r = there == 0 ? 0 : make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	if (h->mode == HOST_DRY)
		assume_dir(h, p.path, mode, uid, gid);
	else if (there < 0)
		r = make_one(h, &p);
	if (h->mode == HOST_LIVE && r >= 0)
		r = set_dir_attr(h, p.path, mode, uid, gid);
	if (r < 0)
		return err_errno(e, -r, "creating the directory '%s'", path);
	host_record(h, "%s %s %04o %s", there == 0 ? "chmod" : "mkdir", p.path, mode,
	            owner_text(o, owner));
	return 0;
}

/* 1: a link to exactly this; 0: anything else, or nothing. */
static int link_is(struct host *h, const struct place *p, const char *target)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", p->path);
	char now[HOST_PATH_MAX];

	if (assumed)
		return S_ISLNK(assumed->st.st_mode) && str_eq(assumed->text, target);
	scope_fd int fd = open_at(h, p->path, O_PATH);
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
	scope_fd int dir = file_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY, 0);

	if (dir < 0)
		return dir;
	snprintf(temp, sizeof temp, ".%.240s.hpc-new", p->name);
	unlinkat(dir, temp, 0); /* left by a killed run */
	if (symlinkat(target, dir, temp) < 0)
		return -errno;
	if (renameat(dir, temp, dir, p->name) == 0)
		return 0;
	int no = errno;
	unlinkat(dir, temp, 0);
	return -no;
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
	r = owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = stat_at(h, p.path, &st);
	if (r < 0)
		return r == -ENOENT ? 0 : err_errno(e, -r, "looking at '%s'", path);
	return attr_is(&st, S_IFDIR, mode, uid, gid);
}

int host_link_is(struct host *h, const char *path, const char *target, struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = link_is(h, &p, target);
	return r < 0 ? err_errno(e, -r, "looking at '%s'", path) : r;
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
		return err_errno(e, -r, "looking at '%s'", path);
	r = make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	if (h->mode == HOST_LIVE) {
		r = link_new(h, &p, target);
		if (r < 0)
			return err_errno(e, -r, "linking '%s' to '%s'", path, target);
	} else {
		struct host_assumed *new = host_assume(h, "path:%s", p.path);

		new->st.st_mode = S_IFLNK | 0777;
		new->text = arena_strdup(h->arena, target);
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
	r = stat_at(h, p.path, &st);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_errno(e, -r, "looking at '%s'", path);
	if (h->mode == HOST_DRY) {
		host_assume(h, "path:%s", p.path);
	} else {
		scope_fd int dir = file_open(h->root_fd, p.dir, O_PATH | O_DIRECTORY, 0);

		if (dir < 0)
			return err_errno(e, -dir, "removing '%s'", path);
		if (unlinkat(dir, p.name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
			return err_errno(e, errno, "removing '%s'", path);
	}
	host_record(h, "remove %s", p.path);
	return 0;
}
