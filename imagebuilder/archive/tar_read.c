/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks a tar into a tree, checking each entry before it is written. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar_read_own.h"
#include "base/clock.h"
#include "base/scope.h"

#define PIECE (256 << 10) /* bytes of the tar read at once */

/* ---- attributes ---- */

static int set_xattrs(struct untar *u, struct archive_entry *x, int dir, const char *name,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct xattr acls[TAR_ACLS], one;
	const void *value;
	int r = 0;

	for (size_t i = 0, n = tar_acls(x, a, acls); i < n && r == 0; i++)
		r = xattrs_set(dir, name, &acls[i]);
	archive_entry_xattr_reset(x);
	while (r == 0 &&
	       archive_entry_xattr_next(x, &one.name, &value, &one.value.len) == ARCHIVE_OK) {
		one.value.data = value;
		if (xattrs_takes(one.name))
			r = xattrs_set(dir, name, &one);
	}
	return r < 0 ? untar_failed(u, -r, e) : 0;
}

static bool has_xattrs(struct archive_entry *x)
{
	return archive_entry_xattr_count(x) > 0 || archive_entry_acl_types(x) != 0;
}

/* The owner first: chown(2) removes set-user-ID and capabilities. */
static int set_attributes(struct untar *u, struct archive_entry *x, int dir, const char *name,
                          struct err *e)
{
	const struct timespec t = {.tv_sec = archive_entry_mtime(x),
	                           .tv_nsec = archive_entry_mtime_nsec(x)};
	const struct timespec times[2] = {t, t};

	if (fchownat(dir, name, (uid_t)archive_entry_uid(x), (gid_t)archive_entry_gid(x),
	             AT_SYMLINK_NOFOLLOW) < 0)
		return untar_failed(u, errno, e);
	if (archive_entry_filetype(x) != S_IFLNK &&
	    fchmodat(dir, name, archive_entry_perm(x), 0) < 0)
		return untar_failed(u, errno, e);
	if (has_xattrs(x)) {
		int r = set_xattrs(u, x, dir, name, e);
		if (r < 0)
			return r;
	}
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? untar_failed(u, errno, e) : 0;
}

static void keep_for_later(struct untar *u)
{
	struct archive_entry *x = archive_entry_clone(u->entry);

	if (!x)
		abort();
	u->late = arena_grow(u->arena, u->late, &u->n_late, sizeof *u->late);
	u->late[u->n_late - 1] = (struct late){arena_strdup(u->arena, u->name), x};
}

/* In the tar's order, so that the last entry of a directory wins; a directory that was replaced by
 * something else, itself or on the way to it, is skipped. */
static int set_late(struct untar *u, struct err *e)
{
	for (size_t i = 0; i < u->n_late; i++) {
		const char *path = u->late[i].path;
		scope_fd int fd = untar_open(u->tree, path, O_NOFOLLOW);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -EXDEV || fd == -ELOOP)
			continue;
		snprintf(u->name, sizeof u->name, "%s", path);
		if (fd < 0)
			return untar_failed(u, -fd, e);
		int r = set_attributes(u, u->late[i].entry, fd, ".", e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the tar ---- */

static int unpack_entry(struct untar *u, struct err *e)
{
	const char *hard = archive_entry_hardlink(u->entry), *name;
	bool is_dir = !hard && archive_entry_filetype(u->entry) == S_IFDIR;
	int dir, r = untar_judge(u, e);

	if (r < 0)
		return r;
	if (is_dir)
		keep_for_later(u);
	if (!*u->name)
		return is_dir ? 0 : untar_refuse(u, e, "is the tree itself, and no directory");
	r = untar_enter(u, &dir, &name, e);
	if (r < 0)
		return r;
	if (hard)
		return untar_link(u, dir, name, hard, e);
	r = untar_make(u, dir, name, e);
	if (r < 0 || is_dir)
		return r;
	return set_attributes(u, u->entry, dir, name, e);
}

static int unpack_all(struct untar *u, struct err *e)
{
	for (;;) {
		int code = archive_read_next_header(u->archive, &u->entry);
		if (code == ARCHIVE_EOF)
			return set_late(u, e);
		if (!tar_is_fine(u->archive, code))
			return untar_unreadable(u, e);
		if (clock_passed(u->deadline))
			return untar_late(u, e);
		int r = unpack_entry(u, e);
		if (r < 0)
			return r;
	}
}

static void untar_close(struct untar *u)
{
	for (size_t i = 0; i < u->n_late; i++)
		archive_entry_free(u->late[i].entry);
	scope_close(&u->parent_fd);
	archive_read_free(u->archive);
	arena_close(u->arena);
}
#define scope_untar __attribute__((cleanup(untar_close)))

/* A libarchive that was built without one of the filters runs a program instead, and
 * warns of it. */
static bool set_up(struct archive *a)
{
	return a && archive_read_support_format_tar(a) == ARCHIVE_OK &&
	       archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(a) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(a) == ARCHIVE_OK;
}

int tar_unpack(const char *path, int tree, uint64_t ceiling, uint64_t deadline, struct err *e)
{
	scope_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	scope_untar struct untar u = {.file = path,
	                              .tree = tree,
	                              .ceiling = ceiling,
	                              .deadline = deadline,
	                              .arena = arena_new(),
	                              .archive = archive_read_new(),
	                              .parent_fd = -1};

	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", path);
	if (!set_up(u.archive))
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOTSUP,
		               "unpacking '%s': this machine's libarchive can't read gzip, xz and "
		               "zstd",
		               path);
	/* In a UTF-8 locale libarchive would convert names to another normal form. */
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	locale_t before = uselocale(plain);
	int r = archive_read_open_fd(u.archive, fd, PIECE) == ARCHIVE_OK ? unpack_all(&u, e)
	                                                                 : untar_unreadable(&u, e);
	uselocale(before);
	freelocale(plain);
	return r;
}
