/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks a tar into a tree, checking each entry before it is written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "disk/tar_own.h"

#define PIECE    (256 << 10) /* bytes of the tar read at once */
#define TIME_MAX (1LL << 34) /* seconds; the limit of ext4 and XFS */
#define TIME_MIN INT32_MIN
#define ID_MAX   (UINT32_MAX - 1) /* the last number means "leave it" to chown(2) */

/* A directory's attributes are set at the end: creating names in it changes its time and its
 * default ACL would apply to them. */
struct late {
	const char *path;
	struct archive_entry *entry;
};

struct untar {
	struct archive *archive;
	struct archive_entry *entry;
	const char *file; /* the tar's, for messages */
	int tree;
	uint64_t ceiling, bytes, entries, deadline;
	struct arena *arena;
	struct late *late;
	size_t n_late;
	char name[PATH_MAX];   /* of the entry, normalised: "etc/motd"; "" is the tree itself */
	char parent[PATH_MAX]; /* the directory that is open */
	int parent_fd;
};

static int refuse(const struct untar *u, struct err *e, const char *why)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL, "unpacking '%s': '%s' %s",
	               u->file, u->name, why);
}

static int failed(const struct untar *u, int no, struct err *e)
{
	if (no == ENAMETOOLONG)
		return refuse(u, e, "is too long a name");
	return err_errno(e, no, "unpacking '%s': '%s'", u->file, u->name);
}

/* An error of libarchive about its input. */
static int unreadable(const struct untar *u, struct err *e)
{
	const char *text = archive_error_string(u->archive);

	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "unpacking '%s': %s", u->file,
	               text ? text : "it is no tar");
}

/* ---- checking ---- */

/* Normalises a name: removes '/' at both ends, '//' and '.'. */
static int tidy(struct untar *u, const char *raw, char out[static PATH_MAX], struct err *e)
{
	size_t len = 0;

	for (const char *p = raw; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			snprintf(u->name, sizeof u->name, "%s", raw);
			return refuse(u, e, "leads out of the image");
		}
		if (n && !(n == 1 && p[0] == '.')) {
			if (len + 1 + n >= PATH_MAX)
				return failed(u, ENAMETOOLONG, e);
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

static int judge_device(const struct untar *u, mode_t type, struct err *e)
{
	bool usual =
	        type == S_IFCHR && archive_entry_rdev(u->entry) != 0 && str_starts(u->name, "dev/");

	if ((type != S_IFCHR && type != S_IFBLK) || usual)
		return 0;
	return refuse(u, e, "is a device, which an image gets when it boots");
}

static int judge_size(struct untar *u, struct err *e)
{
	char why[160];
	int64_t size = archive_entry_size(u->entry);

	if (size < 0)
		return refuse(u, e, "has an impossible size");
	if ((uint64_t)size <= u->ceiling - u->bytes) {
		u->bytes += (uint64_t)size;
		return 0;
	}
	snprintf(why, sizeof why,
	         "makes it more than the %" PRIu64 " MiB of the disk; expected image.disk.size to "
	         "be as large as what it unpacks to",
	         u->ceiling >> 20);
	return refuse(u, e, why);
}

static int judge(struct untar *u, struct err *e)
{
	struct archive_entry *x = u->entry;
	const char *raw = archive_entry_pathname(x);
	int64_t t = archive_entry_mtime(x), uid = archive_entry_uid(x), gid = archive_entry_gid(x);

	if (!raw)
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "unpacking '%s': an entry has no name", u->file);
	int r = tidy(u, raw, u->name, e);
	if (r < 0)
		return r;
	if (t < TIME_MIN || t >= TIME_MAX)
		return refuse(u, e, "has an invalid timestamp");
	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return refuse(u, e, "has an invalid owner");
	if (++u->entries > TAR_ENTRIES_MAX)
		return refuse(u, e, "is one file too many");
	r = judge_device(u, archive_entry_filetype(x), e);
	if (r < 0)
		return r;
	return judge_size(u, e);
}

/* ---- directories ---- */

/* Follows links as long as they stay in the tree. */
static int open_below(int tree, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, tree, *path ? path : ".", &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

static int make_dir_below(int tree, char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	scope_fd int dir = open_below(tree, slash ? path : "");
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
	int fd = open_below(tree, path);

	if (fd != -ENOENT)
		return fd;
	for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
		memcpy(part, path, len);
		part[len] = '\0';
		int r = make_dir_below(tree, part);
		if (r < 0)
			return r;
		if (!path[len])
			return open_below(tree, path);
	}
}

static int no_directory(const struct untar *u, int no, struct err *e)
{
	if (no == EXDEV)
		return refuse(u, e, "leads out of the image through a link");
	if (no == ENOTDIR || no == ENOENT || no == ELOOP)
		return refuse(u, e, "is below what is no directory");
	return failed(u, no, e);
}

/* Opens the directory of the entry's name, and keeps it open, as the next entry is most likely in
 * it too. */
static int enter(struct untar *u, int *ret_dir, const char **ret_name, struct err *e)
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
		return failed(u, errno, e);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return refuse(u, e, "was a directory with names in it before");
	return failed(u, errno, e);
}

static int write_at(const struct untar *u, int fd, const char *data, size_t len, int64_t at,
                    struct err *e)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(u, errno, e);
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

static int late_by(const struct untar *u, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_STEP_TIMEOUT, ETIMEDOUT,
	               "unpacking '%s': not finished by its deadline", u->file);
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
			return unreadable(u, e);
		if (at < 0 || at > size || len > (uint64_t)(size - at))
			return refuse(u, e, "has more content than its size");
		if (clock_passed(u->deadline))
			return late_by(u, e);
		int r = write_at(u, fd, data, len, at, e);
		if (r < 0)
			return r;
	}
	return ftruncate(fd, size) < 0 ? failed(u, errno, e) : 0;
}

static int make_file(struct untar *u, int dir, const char *name, struct err *e)
{
	scope_fd int fd =
	        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? failed(u, errno, e) : write_content(u, fd, e);
}

static int make_directory(struct untar *u, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 0;
	int r = make_room(u, dir, name, e);
	if (r < 0)
		return r;
	return mkdirat(dir, name, 0700) < 0 ? failed(u, errno, e) : 0;
}

/* Everything in the tree came out of the tar earlier. */
static int make_hard_link(struct untar *u, int dir, const char *name, const char *target,
                          struct err *e)
{
	char tidied[PATH_MAX];
	int r = tidy(u, target, tidied, e);

	if (r < 0)
		return r;
	if (str_eq(tidied, u->name))
		return refuse(u, e, "is a hard link to itself");
	char *slash = strrchr(tidied, '/');
	if (slash)
		*slash = '\0';
	scope_fd int from = open_below(u->tree, slash ? tidied : "");
	const char *base = slash ? slash + 1 : tidied;
	struct stat st;
	if (from < 0 || !*base || fstatat(from, base, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return refuse(u, e, "is a hard link to a file that the tar has not had before it");
	r = make_room(u, dir, name, e);
	if (r < 0)
		return r;
	return linkat(from, base, dir, name, 0) < 0 ? failed(u, errno, e) : 0;
}

static int make(struct untar *u, int dir, const char *name, struct err *e)
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
			return refuse(u, e, "is a link to nothing");
		return symlinkat(target, dir, name) < 0 ? failed(u, errno, e) : 0;
	case S_IFCHR:
	case S_IFIFO:
		return mknodat(dir, name, type | 0600, archive_entry_rdev(u->entry)) < 0
		               ? failed(u, errno, e)
		               : 0;
	default:
		return refuse(u, e, "is of a kind that no file is of");
	}
}

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
	return r < 0 ? failed(u, -r, e) : 0;
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
		return failed(u, errno, e);
	if (archive_entry_filetype(x) != S_IFLNK &&
	    fchmodat(dir, name, archive_entry_perm(x), 0) < 0)
		return failed(u, errno, e);
	if (has_xattrs(x)) {
		int r = set_xattrs(u, x, dir, name, e);
		if (r < 0)
			return r;
	}
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? failed(u, errno, e) : 0;
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
 * something else is skipped. */
static int set_late(struct untar *u, struct err *e)
{
	for (size_t i = 0; i < u->n_late; i++) {
		const char *path = u->late[i].path;
		scope_fd int fd = open_below(u->tree, path);
		if (fd == -ENOENT || fd == -ENOTDIR)
			continue;
		snprintf(u->name, sizeof u->name, "%s", path);
		if (fd < 0)
			return failed(u, -fd, e);
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
	int dir, r = judge(u, e);

	if (r < 0)
		return r;
	if (is_dir)
		keep_for_later(u);
	if (!*u->name)
		return is_dir ? 0 : refuse(u, e, "is the tree itself, and no directory");
	r = enter(u, &dir, &name, e);
	if (r < 0)
		return r;
	if (hard)
		return make_hard_link(u, dir, name, hard, e);
	r = make(u, dir, name, e);
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
			return unreadable(u, e);
		if (clock_passed(u->deadline))
			return late_by(u, e);
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
	                                                                 : unreadable(&u, e);
	uselocale(before);
	freelocale(plain);
	return r;
}
