/* SPDX-License-Identifier: Apache-2.0 */
/* A store of layers: its directories and its locks. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/scope.h"
#include "os/tree.h"
#include "store/store_own.h"

/* Trees contain the image's files, including set-user-ID programs: only root may enter them. But
 * any user may ask whether a layer exists (each layer is 0700). */
static const struct part {
	const char *name;
	mode_t mode;
} parts[] = {{"layers", 0711},  {"work", 0700},    {"failed", 0700}, {"locks", 0700},
             {"outputs", 0700}, {"recipes", 0700}, {"objects", 0700}};

static int make_dirs(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = path; slash;) {
		slash = strchr(slash + 1, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		if (len >= sizeof part)
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int open_real(const char *path, struct store *s)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return -errno;
	int n = snprintf(s->path, sizeof s->path, "%s", real);
	if (n < 0 || (size_t)n >= sizeof s->path)
		return -ENAMETOOLONG;
	s->fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

static int make_store(const char *path, struct store *s)
{
	int r = make_dirs(path);

	if (r < 0)
		return r;
	r = open_real(path, s);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (mkdirat(s->fd, parts[i].name, parts[i].mode) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

int store_open(const char *path, struct store *ret, struct err *e)
{
	struct store s = STORE_INIT;
	int r = make_store(path, &s);

	if (r < 0) {
		scope_close(&s.fd);
		return err_errno(e, -r, "making the store '%s'", path);
	}
	*ret = s;
	return 0;
}

int store_look(const char *path, struct store *ret, struct err *e)
{
	struct store s = STORE_INIT;
	int r = open_real(path, &s);

	if (r < 0 && r != -ENOENT)
		return err_errno(e, -r, "opening the store '%s'", path);
	*ret = s;
	return 0;
}

int store_have(const struct store *s, const char *key)
{
	char path[SHA256_HEX + 16];
	struct stat st;

	if (s->fd < 0)
		return 0;
	snprintf(path, sizeof path, "layers/%s", key);
	/* It is complete once it is there. */
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

void store_close(struct store *s)
{
	scope_close(&s->fd);
}

/* ---- trees ---- */

void store_remove(const char *path)
{
	struct err e;

	if (tree_remove(AT_FDCWD, path, true, &e) < 0)
		log_warning("%s", e.text);
}

/* The size of a file with several names is divided among them. */
static int measure_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	uint64_t *bytes = ctx, on_disk = (uint64_t)at->st->st_blocks * 512;

	(void)e;
	*bytes += S_ISDIR(at->st->st_mode) ? on_disk : on_disk / (uint64_t)at->st->st_nlink;
	return TREE_GO;
}

int store_measure(const char *path, uint64_t *ret, struct err *e)
{
	uint64_t bytes = 0;
	const struct tree_walk w = {
	        .visit = measure_one, .ctx = &bytes, .one_fs = true, .unreadable = true};
	scope_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0)
		return err_errno(e, errno, "opening '%s'", path);
	bytes = (uint64_t)st.st_blocks * 512;
	int r = tree_walk(dir, &w, e);
	if (r < 0)
		return r;
	*ret = bytes;
	return 0;
}

/* ---- locks ---- */

int store_lock(const struct store *s, const char *key, int how, struct err *e)
{
	char name[SHA256_HEX + 16];

	snprintf(name, sizeof name, "locks/%s", key);
	scope_fd int fd = openat(s->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "locking the layer %.12s", key);
	if (flock(fd, how | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY
		                            : err_errno(e, errno, "locking the layer %.12s", key);
	return steal_fd(&fd);
}
