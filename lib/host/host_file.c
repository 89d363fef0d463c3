/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, compares and atomically replaces a host's files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/scope.h"
#include "host/host_diff.h"
#include "host/place.h"
#include "host/walk.h"

int host_stat(struct host *h, const char *path, struct stat *ret, struct err *e)
{
	struct place p;
	struct stat st;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_stat(h, p.path, &st);
	if (r < 0)
		return walk_failed(e, -r, "looking at", path);
	*ret = st;
	return 0;
}

int host_lookup(struct host *h, const char *path, struct err *e)
{
	struct place p;
	struct stat st;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_stat(h, p.path, &st);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? walk_failed(e, -r, "looking for", path) : 1;
}

bool host_exists(struct host *h, const char *path)
{
	struct err e;

	return host_lookup(h, path, &e) == 1;
}

int host_read(struct host *h, const char *path, size_t max, struct arena *a, struct blob *ret,
              struct err *e)
{
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	const struct host_assumed *assumed = host_assumed(h, "path:%s", p.path);
	if (!assumed) {
		scope_fd int fd = walk_open(h->root_fd, p.path, FILE_READ_FLAGS);

		if (fd < 0)
			return walk_failed(e, -fd, "opening", path);
		return file_read_open(fd, path, max, a, ret, e);
	}
	if (!S_ISREG(assumed->st.st_mode) || !assumed->content.data)
		return err_errno(e, assumed->st.st_mode ? EACCES : ENOENT, "reading '%s'", path);
	if (assumed->content.len > max)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "%s:1:1: file is larger than %zu bytes", path, max);
	*ret = (struct blob){arena_memdup(a, assumed->content.data, assumed->content.len),
	                     assumed->content.len};
	return 0;
}

/* Of the file that host_read() opens. */
static int stat_read(struct host *h, const char *path, struct stat *ret)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);

	if (assumed)
		return place_stat(h, path, ret);
	scope_fd int fd = walk_open(h->root_fd, path, FILE_READ_FLAGS);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int host_read_attr(struct host *h, const char *path, unsigned *ret_mode,
                   struct host_owner *ret_owner, struct err *e)
{
	struct stat st = {.st_mode = 0644};
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = stat_read(h, p.path, &st);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return walk_failed(e, -r, "looking at", path);
	*ret_mode = st.st_mode & 07777;
	*ret_owner = (struct host_owner){.uid = st.st_uid, .gid = st.st_gid};
	return 0;
}

/* 1: the open file has exactly this content; 0: it hasn't; -errno. */
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

static int file_is(struct host *h, const char *path, struct blob content, unsigned mode, uid_t uid,
                   gid_t gid, struct err *e)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);
	unsigned char digest[SHA256_LEN];
	struct stat st;

	if (assumed) {
		digest_sha256(content.data, content.len, digest);
		return place_attr_is(&assumed->st, S_IFREG, mode, uid, gid) &&
		       memcmp(digest, assumed->digest, sizeof digest) == 0;
	}
	scope_fd int fd = place_open(h, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return err_errno(e, -fd, "opening '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "looking at '%s'", path);
	if (!place_attr_is(&st, S_IFREG, mode, uid, gid) || (size_t)st.st_size != content.len)
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
	/* A file can't be owned by a user who doesn't exist yet; a dry run assumes that the user
	 * will be created. */
	if (r == -ENOENT && h->mode == HOST_LIVE)
		return 0;
	if (r < 0)
		r = place_owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r;
	return file_is(h, p.path, content, mode, uid, gid, e);
}

static int write_new(struct host *h, const struct place *p, struct blob content, unsigned mode,
                     uid_t uid, gid_t gid, bool secret, struct err *e)
{
	if (h->mode == HOST_LIVE) {
		struct file_attr attr = {.mode = mode, .uid = uid, .gid = gid};

		scope_fd int dir = walk_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY);
		if (dir < 0)
			return walk_failed(e, -dir, "opening", p->dir);
		return file_replace(dir, p->name, content.data, content.len, &attr, e);
	}
	struct host_assumed *made = host_assume(h, "path:%s", p->path);
	made->st = (struct stat){.st_mode = S_IFREG | mode,
	                         .st_uid = uid,
	                         .st_gid = gid,
	                         .st_size = (off_t)content.len};
	digest_sha256(content.data, content.len, made->digest);
	if (!secret)
		made->content = (struct blob){arena_memdup(h->arena, content.data, content.len),
		                              content.len};
	return 0;
}

/* Whether everybody may read what is at the path: it, and enter each directory on the way. */
static bool is_public(struct host *h, const char *path, const struct stat *st)
{
	char part[HOST_PATH_MAX];
	struct stat dir;

	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strrchr(part, '/'); slash > part; slash = strrchr(part, '/')) {
		*slash = '\0';
		if (place_stat(h, part, &dir) < 0 || !(dir.st_mode & S_IXOTH))
			return false;
	}
	return st->st_mode & S_IROTH;
}

/* Nothing is read unless the host is dry and somebody listens. */
static void look_before(struct host *h, const char *path, struct arena *a, struct host_before *ret)
{
	struct stat st;
	struct err none;

	*ret = (struct host_before){0};
	if (h->mode != HOST_DRY || !h->record || place_stat(h, path, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	ret->there = true;
	ret->hidden = !is_public(h, path, &st);
	if (!ret->hidden)
		ret->large = host_read(h, path, HOST_DIFF_MAX, a, &ret->content, &none) < 0;
}

static int write_file(struct host *h, const char *path, struct blob content, unsigned mode,
                      const struct host_owner *o, bool secret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	char owner[128], hex[SHA256_HEX];
	struct host_before before;
	struct place p;
	uid_t uid;
	gid_t gid;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_owner_ids(h, o, &uid, &gid, e);
	if (r < 0)
		return r;
	r = file_is(h, p.path, content, mode, uid, gid, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = place_make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	look_before(h, p.path, a, &before);
	r = write_new(h, &p, content, mode, uid, gid, secret, e);
	if (r < 0 && r != -ELOOP) /* file_replace's own message names only the last component */
		return err_set(e, e->kind, e->reason, e->no, "writing '%s': %s", p.path,
		               strerror(e->no));
	if (r < 0)
		return r;
	if (secret) {
		host_record(h, "write %s %04o %s secret", p.path, mode, place_owner_text(o, owner));
		return 0;
	}
	digest_hex(content.data, content.len, hex);
	host_record(h, "write %s %04o %s %zu bytes sha256:%.16s", p.path, mode,
	            place_owner_text(o, owner), content.len, hex);
	host_diff_tell(h, &before, content, mode, a);
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
