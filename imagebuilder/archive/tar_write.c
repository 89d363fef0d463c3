/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a tree as a tar whose bytes are a function of the tree. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar_own.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "os/tree.h"

#define PIECE  (256 << 10)
#define RECORD 10240 /* tar(1)'s; the file's size is a multiple of it */

/* A file with several names, and the first of them. */
struct named {
	dev_t dev;
	ino_t ino;
	char path[];
};

struct taring {
	struct archive *archive;
	int64_t epoch;
	uint64_t deadline;
	int fd;
	void *links;         /* tsearch(3) tree of struct named */
	char path[PATH_MAX]; /* in the tar: "./etc/motd" */
	size_t len;
	char piece[PIECE];
};

static int failed(const struct taring *t, int no, struct err *e)
{
	return err_errno(e, no, "writing the tar's '%s'", t->path);
}

static int unwritten(const struct taring *t, struct err *e)
{
	int no = archive_errno(t->archive);
	const char *text = archive_error_string(t->archive);

	if (no > 0 && no < 4096)
		return failed(t, no, e);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EIO, "writing the tar's '%s': %s", t->path,
	               text ? text : "it can't be written");
}

/* ---- names of one file ---- */

static int by_file(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* The file's first name in the tar; NULL: this one is the first, and is remembered. */
static const char *first_name(struct taring *t, const struct stat *st)
{
	struct named key = {.dev = st->st_dev, .ino = st->st_ino}, *fresh;
	struct named **found = tfind(&key, &t->links, by_file);

	if (found)
		return (*found)->path;
	fresh = malloc(sizeof *fresh + t->len + 1);
	if (!fresh)
		abort();
	fresh->dev = st->st_dev;
	fresh->ino = st->st_ino;
	memcpy(fresh->path, t->path, t->len + 1);
	tsearch(fresh, &t->links, by_file);
	return NULL;
}

/* ---- one entry ---- */

static int add_xattrs(struct taring *t, int dir, const char *name, struct archive_entry *x,
                      struct arena *a, struct err *e)
{
	struct xattrs all;
	int r = xattrs_read(dir, name, a, &all);

	if (r < 0)
		return failed(t, -r, e);
	/* libarchive writes them in reverse order of adding. */
	for (size_t i = all.n; i-- > 0;)
		archive_entry_xattr_add_entry(x, all.items[i].name, all.items[i].value.data,
		                              all.items[i].value.len);
	return 0;
}

static void describe(const struct taring *t, const struct stat *st, struct archive_entry *x)
{
	bool later = st->st_mtim.tv_sec >= t->epoch;

	archive_entry_copy_pathname(x, t->path);
	archive_entry_set_mode(x, st->st_mode);
	archive_entry_set_uid(x, st->st_uid);
	archive_entry_set_gid(x, st->st_gid);
	archive_entry_set_mtime(x, later ? t->epoch : st->st_mtim.tv_sec,
	                        later ? 0 : st->st_mtim.tv_nsec);
	archive_entry_set_size(x, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		archive_entry_set_rdev(x, st->st_rdev);
}

static int add_target(const struct taring *t, int dir, const char *name, struct archive_entry *x,
                      struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return failed(t, errno, e);
	target[n] = '\0';
	archive_entry_copy_symlink(x, target);
	return 0;
}

static int write_content(struct taring *t, int dir, const char *name, uint64_t size, struct err *e)
{
	scope_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return failed(t, errno, e);
	while (size) {
		ssize_t n = read(fd, t->piece, size < PIECE ? size : PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(t, n < 0 ? errno : ESTALE, e); /* written to meanwhile */
		if (clock_passed(t->deadline))
			return failed(t, ETIMEDOUT, e);
		if (archive_write_data(t->archive, t->piece, (size_t)n) != n)
			return unwritten(t, e);
		size -= (uint64_t)n;
	}
	return 0;
}

static int write_header(struct taring *t, struct archive_entry *x, struct err *e)
{
	int code = archive_write_header(t->archive, x);

	return tar_is_fine(t->archive, code) ? 0 : unwritten(t, e);
}

static int fill(struct taring *t, int dir, const char *name, const struct stat *st,
                struct archive_entry *x, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *first = NULL;

	describe(t, st, x);
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		first = first_name(t, st);
	if (first) {
		archive_entry_copy_hardlink(x, first);
		archive_entry_set_size(x, 0);
		return write_header(t, x, e);
	}
	if (S_ISLNK(st->st_mode)) {
		int r = add_target(t, dir, name, x, e);
		if (r < 0)
			return r;
	}
	int r = add_xattrs(t, dir, name, x, a, e);
	if (r < 0)
		return r;
	r = write_header(t, x, e);
	if (r < 0)
		return r;
	return S_ISREG(st->st_mode) ? write_content(t, dir, name, (uint64_t)st->st_size, e) : 0;
}

static int write_entry(struct taring *t, int dir, const char *name, const struct stat *st,
                       struct err *e)
{
	struct archive_entry *x = archive_entry_new();

	if (!x)
		abort();
	int r = fill(t, dir, name, st, x, e);
	archive_entry_free(x);
	return r;
}

/* ---- the tree ---- */

static int visit(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct taring *t = ctx;
	int n = snprintf(t->path, sizeof t->path, "./%s", at->path);

	if (n < 0 || (size_t)n >= sizeof t->path)
		return failed(t, ENAMETOOLONG, e);
	t->len = (size_t)n;
	if (S_ISSOCK(at->st->st_mode))
		return TREE_GO;
	return write_entry(t, at->dir, at->name, at->st, e);
}

static int write_tree(struct taring *t, int tree, struct err *e)
{
	const struct tree_walk walk = {.visit = visit, .ctx = t};
	struct stat st;

	if (fstat(tree, &st) < 0)
		return failed(t, errno, e);
	int r = write_entry(t, tree, ".", &st, e);
	if (r < 0)
		return r;
	r = tree_walk(tree, &walk, e);
	if (r < 0)
		return r;
	return archive_write_close(t->archive) == ARCHIVE_OK ? 0 : unwritten(t, e);
}

static la_ssize_t put(struct archive *a, void *ctx, const void *data, size_t len)
{
	const struct taring *t = ctx;
	int r = file_write_all(t->fd, data, len);

	if (r < 0) {
		archive_set_error(a, -r, "%s", strerror(-r));
		return -1;
	}
	return (la_ssize_t)len;
}

/* Old-style headers are enough for most files; others get a pax header in front. */
static bool set_up(struct taring *t)
{
	struct archive *a = t->archive;

	return a && archive_write_set_format_pax_restricted(a) == ARCHIVE_OK &&
	       archive_write_set_options(a, "xattrheader=SCHILY") == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(a, RECORD * 20) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(a, RECORD) == ARCHIVE_OK &&
	       archive_write_open(a, t, NULL, put, NULL) == ARCHIVE_OK;
}

static int write_all(struct taring *t, int tree, struct err *e)
{
	if (!set_up(t))
		return unwritten(t, e);
	return write_tree(t, tree, e);
}

int tar_write(int tree, int fd, int64_t epoch, uint64_t deadline, struct err *e)
{
	struct taring *t = calloc(1, sizeof *t);
	/* Names in a pax header are UTF-8; any other name is stored unchanged, and
	 * marked as such. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	if (!t)
		abort();
	if (!utf8) {
		free(t);
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOENT,
		               "writing a tar: this machine has no locale C.UTF-8");
	}
	locale_t before = uselocale(utf8);
	t->archive = archive_write_new();
	t->epoch = epoch;
	t->deadline = deadline;
	t->fd = fd;
	t->path[0] = '.';
	t->len = 1;
	int r = write_all(t, tree, e);
	uselocale(before);
	freelocale(utf8);
	archive_write_free(t->archive);
	tdestroy(t->links, free);
	free(t);
	return r;
}
