/* SPDX-License-Identifier: Apache-2.0 */
/* Copies files of any size into a host, without holding them in memory and with their holes. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/scope.h"
#include "host/place.h"
#include "host/walk.h"

#define CHUNK (128 << 10)

struct source {
	int dir;
	const char *name;
	struct stat st;
	char sha256[SHA256_HEX];
};

/* 1: the same content and attributes are there. */
static int is_there(struct host *h, const char *path, const struct source *from, unsigned mode,
                    uid_t uid, gid_t gid, struct err *e)
{
	const struct host_assumed *assumed = host_assumed(h, "path:%s", path);
	char hex[SHA256_HEX];
	struct stat st;

	if (assumed) {
		str_hex(assumed->digest, sizeof assumed->digest, hex);
		return place_attr_is(&assumed->st, S_IFREG, mode, uid, gid) &&
		       str_eq(hex, from->sha256);
	}
	if (place_stat(h, path, &st) < 0 || !place_attr_is(&st, S_IFREG, mode, uid, gid) ||
	    st.st_size != from->st.st_size)
		return 0;
	int r = file_sha256(h->root_fd, path, hex, e);
	return r < 0 ? r : str_eq(hex, from->sha256);
}

static int copy_range(int from, int to, off_t at, off_t end, char *chunk)
{
	while (at < end) {
		ssize_t n = pread(from, chunk, end - at < CHUNK ? (size_t)(end - at) : CHUNK, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it became shorter */
		if (lseek(to, at, SEEK_SET) < 0)
			return -errno;
		int r = file_write_all(to, chunk, (size_t)n);
		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

static int copy_content(int from, int to, off_t size)
{
	scope_arena struct arena *a = arena_new();
	char *chunk = arena_alloc(a, CHUNK);
	off_t at = 0;

	if (ftruncate(to, size) < 0)
		return -errno;
	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO) /* only a hole is left */
			return 0;
		hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
		data = data < 0 ? at : data; /* a file system that doesn't know of holes */
		if (hole < 0 || hole > size)
			hole = size;
		int r = copy_range(from, to, data, hole, chunk);
		if (r < 0)
			return r;
		at = hole;
	}
	return 0;
}

static int copy_live(struct host *h, const struct place *p, const struct source *from,
                     const struct file_attr *attr, struct err *e)
{
	scope_file_new struct file_new f = FILE_NEW_INIT;
	scope_fd int in = file_open(from->dir, from->name, O_RDONLY, 0);
	scope_fd int dir = walk_open(h->root_fd, p->dir, O_PATH | O_DIRECTORY);

	if (in < 0)
		return err_errno(e, -in, "opening '%s'", from->name);
	if (dir < 0)
		return walk_failed(e, -dir, "opening", p->dir);
	int r = file_new_open(&f, dir, p->name, e);
	if (r < 0)
		return r;
	r = copy_content(in, f.fd, from->st.st_size);
	if (r < 0)
		return err_errno(e, -r, "writing '%s'", p->path);
	return file_new_commit(&f, attr, e);
}

static void copy_dry(struct host *h, const char *path, const struct source *from,
                     const struct file_attr *attr)
{
	struct host_assumed *made = host_assume(h, "path:%s", path);

	made->st = (struct stat){.st_mode = S_IFREG | attr->mode,
	                         .st_uid = attr->uid,
	                         .st_gid = attr->gid,
	                         .st_size = from->st.st_size};
	for (size_t i = 0; i < SHA256_LEN; i++)
		made->digest[i] = (unsigned char)(str_hex_digit(from->sha256[2 * i]) << 4 |
		                                  str_hex_digit(from->sha256[2 * i + 1]));
}

int host_copy(struct host *h, const char *path, int from_dir, const char *from_name, unsigned mode,
              const struct host_owner *o, struct err *e)
{
	struct source from = {.dir = from_dir, .name = from_name};
	struct file_attr attr = {.mode = mode};
	char owner[128];
	struct place p;
	int r = place_at(path, &p, e);

	if (r < 0)
		return r;
	r = place_owner_ids(h, o, &attr.uid, &attr.gid, e);
	if (r < 0)
		return r;
	if (fstatat(from_dir, from_name, &from.st, 0) < 0)
		return err_errno(e, errno, "reading '%s'", from_name);
	r = file_sha256(from_dir, from_name, from.sha256, e);
	if (r < 0)
		return r;
	r = is_there(h, p.path, &from, mode, attr.uid, attr.gid, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = place_make_dirs(h, p.dir, e);
	if (r < 0)
		return r;
	if (h->mode == HOST_DRY)
		copy_dry(h, p.path, &from, &attr);
	else
		r = copy_live(h, &p, &from, &attr, e);
	if (r < 0)
		return r;
	host_record(h, "write %s %04o %s %zu bytes sha256:%.16s", p.path, mode,
	            place_owner_text(o, owner), (size_t)from.st.st_size, from.sha256);
	return 0;
}
