/* SPDX-License-Identifier: Apache-2.0 */
/* Makes what an entry of a tar is: directories on the way to it, files with their holes, links. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/tar_read_own.h"
#include "base/clock.h"
#include "base/scope.h"

/* ---- directories ---- */

int untar_open(int tree, const char *path, int nofollow)
{
	struct open_how how = {.flags = (uint64_t)(O_PATH | O_DIRECTORY | O_CLOEXEC | nofollow),
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, tree, *path ? path : ".", &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

static int make_dir_below(int tree, char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	scope_fd int dir = untar_open(tree, slash ? path : "", 0);
	int r = dir;
	if (dir >= 0 && mkdirat(dir, slash ? slash + 1 : path, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (slash)
		*slash = '/';
	return r < 0 ? r : 0;
}

/* Opens the directory, creating what is missing of it. -errno */
static int make_below(int tree, const char *path)
{
	char part[PATH_MAX];
	int fd = untar_open(tree, path, 0);

	if (fd != -ENOENT)
		return fd;
	for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
		memcpy(part, path, len);
		part[len] = '\0';
		int r = make_dir_below(tree, part);
		if (r < 0)
			return r;
		if (!path[len])
			return untar_open(tree, path, 0);
	}
}

static int no_directory(const struct untar *u, int no, struct err *e)
{
	if (no == EXDEV)
		return untar_refuse(u, e, "leads out of the image through a link");
	if (no == ENOTDIR || no == ENOENT || no == ELOOP)
		return untar_refuse(u, e, "is below what is no directory");
	return untar_failed(u, no, e);
}

int untar_enter(struct untar *u, int *ret_dir, const char **ret_name, struct err *e)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(u->name, '/');
	size_t len = slash ? (size_t)(slash - u->name) : 0;

	memcpy(parent, u->name, len);
	parent[len] = '\0';
	if (u->parent_fd < 0 || !str_eq(parent, u->parent)) {
		scope_close(&u->parent_fd);
		u->parent_fd = make_below(u->tree, parent);
		if (u->parent_fd < 0)
			return no_directory(u, -u->parent_fd, e);
		memcpy(u->parent, parent, len + 1);
	}
	*ret_dir = u->parent_fd;
	*ret_name = slash ? slash + 1 : u->name;
	return 0;
}

/* ---- making ---- */

/* Removes an existing name; a directory only if it is empty. */
static int make_room(struct untar *u, int dir, const char *name, struct err *e)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return untar_failed(u, errno, e);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return untar_refuse(u, e, "was a directory with names in it before");
	return untar_failed(u, errno, e);
}

static int write_at(const struct untar *u, int fd, const char *data, size_t len, int64_t at,
                    struct err *e)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return untar_failed(u, errno, e);
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* Ranges without data in the tar stay holes. */
static int write_content(struct untar *u, int fd, struct err *e)
{
	int64_t size = archive_entry_size(u->entry), at;
	const void *data;
	size_t len;

	for (;;) {
		int code = archive_read_data_block(u->archive, &data, &len, &at);
		if (code == ARCHIVE_EOF)
			break;
		if (code != ARCHIVE_OK)
			return untar_unreadable(u, e);
		if (at < 0 || at > size || len > (uint64_t)(size - at))
			return untar_refuse(u, e, "has more content than its size");
		if (clock_passed(u->deadline))
			return untar_late(u, e);
		int r = write_at(u, fd, data, len, at, e);
		if (r < 0)
			return r;
	}
	return ftruncate(fd, size) < 0 ? untar_failed(u, errno, e) : 0;
}

static int make_file(struct untar *u, int dir, const char *name, struct err *e)
{
	scope_fd int fd =
	        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? untar_failed(u, errno, e) : write_content(u, fd, e);
}

static int make_directory(struct untar *u, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 0;
	int r = make_room(u, dir, name, e);
	if (r < 0)
		return r;
	return mkdirat(dir, name, 0700) < 0 ? untar_failed(u, errno, e) : 0;
}

/* Everything in the tree came out of the tar earlier. */
int untar_link(struct untar *u, int dir, const char *name, const char *target, struct err *e)
{
	char tidied[PATH_MAX];
	int r = untar_tidy(u, target, tidied, e);

	if (r < 0)
		return r;
	if (str_eq(tidied, u->name))
		return untar_refuse(u, e, "is a hard link to itself");
	char *slash = strrchr(tidied, '/');
	if (slash)
		*slash = '\0';
	scope_fd int from = untar_open(u->tree, slash ? tidied : "", 0);
	const char *base = slash ? slash + 1 : tidied;
	struct stat st;
	if (from < 0 || !*base || fstatat(from, base, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return untar_refuse(u, e,
		                    "is a hard link to a file that the tar has not had before it");
	r = make_room(u, dir, name, e);
	if (r < 0)
		return r;
	return linkat(from, base, dir, name, 0) < 0 ? untar_failed(u, errno, e) : 0;
}

int untar_make(struct untar *u, int dir, const char *name, struct err *e)
{
	mode_t type = archive_entry_filetype(u->entry);
	const char *target = archive_entry_symlink(u->entry);

	if (type == S_IFDIR)
		return make_directory(u, dir, name, e);
	int r = make_room(u, dir, name, e);
	if (r < 0)
		return r;
	switch (type) {
	case S_IFREG:
		return make_file(u, dir, name, e);
	case S_IFLNK:
		if (!target || !*target)
			return untar_refuse(u, e, "is a link to nothing");
		return symlinkat(target, dir, name) < 0 ? untar_failed(u, errno, e) : 0;
	case S_IFCHR:
	case S_IFIFO:
		return mknodat(dir, name, type | 0600, archive_entry_rdev(u->entry)) < 0
		               ? untar_failed(u, errno, e)
		               : 0;
	default:
		return untar_refuse(u, e, "is of a kind that no file is of");
	}
}
