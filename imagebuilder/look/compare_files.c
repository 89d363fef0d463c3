/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the files of two images, walking both trees in parallel. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/xattrs.h"
#include "base/scope.h"
#include "look/compare_own.h"
#include "store/listing.h"

#define PIECE (1 << 20)
#define DEPTH 200

struct walk {
	struct compare *compare;
	char path[8192];
	size_t len;
	char *pieces; /* two */
};

/* One name, in the directories of both trees; on a side without it, it is absent. */
struct side {
	int dir;
	bool there;
	struct stat st;
};

static int failed(const struct walk *w, int no, struct err *e)
{
	return err_errno(e, no, "comparing '%s'", w->path);
}

static const char *type_of(mode_t mode)
{
	static const char *const names[16] = {
	        [S_IFREG >> 12] = "file",         [S_IFDIR >> 12] = "directory",
	        [S_IFLNK >> 12] = "link",         [S_IFCHR >> 12] = "character device",
	        [S_IFBLK >> 12] = "block device", [S_IFIFO >> 12] = "pipe",
	        [S_IFSOCK >> 12] = "socket",
	};

	return names[(mode & S_IFMT) >> 12];
}

/* ---- properties that are compared ---- */

static ssize_t fill(int fd, char *piece)
{
	size_t got = 0;

	while (got < PIECE) {
		ssize_t n = read(fd, piece + got, PIECE - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)got;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* 1: the same. */
static int same_content(struct walk *w, const struct side *a, const struct side *b,
                        const char *name, struct err *e)
{
	scope_fd int x = openat(a->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	scope_fd int y = openat(b->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (x < 0 || y < 0)
		return failed(w, errno, e);
	for (;;) {
		ssize_t n = fill(x, w->pieces), m = fill(y, w->pieces + PIECE);
		if (n < 0 || m < 0)
			return failed(w, (int)(n < 0 ? -n : -m), e);
		if (n != m || memcmp(w->pieces, w->pieces + PIECE, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
	}
}

static int read_content(struct walk *w, const struct side *s, const char *name, const char **ret,
                        struct err *e)
{
	scope_fd int fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	scope_digest struct digest *d = digest_new();
	ssize_t n;

	if (fd < 0)
		return failed(w, errno, e);
	while ((n = fill(fd, w->pieces)) > 0)
		digest_add(d, w->pieces, (size_t)n);
	if (n < 0)
		return failed(w, (int)-n, e);
	*ret = compare_content(w->compare->arena, (uint64_t)s->st.st_size, d);
	return 0;
}

typedef int read_fn(struct walk *w, const struct side *s, const char *name, const char **ret,
                    struct err *e);

/* Adds `what` of the file on both sides. */
static int add_both(struct walk *w, const struct side *a, const struct side *b, const char *name,
                    struct compare_difference *d, const char *what, read_fn *read, struct err *e)
{
	const char *from, *to;
	int r = read(w, a, name, &from, e);

	if (r < 0)
		return r;
	r = read(w, b, name, &to, e);
	if (r < 0)
		return r;
	compare_add(d, what, from, to);
	return 0;
}

static int compare_contents(struct walk *w, const struct side *a, const struct side *b,
                            const char *name, struct compare_difference *d, struct err *e)
{
	int same = a->st.st_size == b->st.st_size ? same_content(w, a, b, name, e) : 0;

	if (same)
		return same < 0 ? same : 0;
	return add_both(w, a, b, name, d, "content", read_content, e);
}

/* Reports a file that only one tree has. */
static int tell_content(struct walk *w, const struct side *a, const struct side *b,
                        const char *name, struct compare_difference *d, struct err *e)
{
	const struct side *s = a->there ? a : b;
	const char *content;

	if (!S_ISREG(s->st.st_mode))
		return 0;
	int r = read_content(w, s, name, &content, e);
	if (r < 0)
		return r;
	compare_add(d, "content", a->there ? content : NULL, a->there ? NULL : content);
	return 0;
}

static int read_target(struct walk *w, const struct side *s, const char *name, const char **ret,
                       struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(s->dir, name, target, sizeof target);

	if (n < 0 || n == sizeof target)
		return failed(w, n < 0 ? errno : ENAMETOOLONG, e);
	*ret = arena_memdup(w->compare->arena, target, (size_t)n);
	return 0;
}

/* All xattrs as one text: "NAME=HEX ...", sorted. */
static int read_xattrs(struct walk *w, const struct side *s, const char *name, const char **ret,
                       struct err *e)
{
	struct arena *a = w->compare->arena;
	struct strbuf text = STRBUF(a, 1UL << 20);
	struct xattrs all;
	int r = xattrs_read(s->dir, name, a, &all);

	if (r < 0)
		return failed(w, -r, e);
	for (size_t i = 0; i < all.n; i++) {
		const struct xattr *x = &all.items[i];
		char *hex = arena_alloc(a, 2 * x->value.len + 1);
		str_hex(x->value.data, x->value.len, hex);
		strbuf_printf(&text, "%s%s=%s", i ? " " : "", x->name, hex);
	}
	*ret = text.data ? text.data : "";
	return 0;
}

static int compare_both(struct walk *w, const struct side *a, const struct side *b,
                        const char *name, struct compare_difference *d, struct err *e)
{
	struct arena *arena = w->compare->arena;
	int r = 0;

	compare_add(d, "type", type_of(a->st.st_mode), type_of(b->st.st_mode));
	compare_add(d, "mode", arena_printf(arena, "%04o", a->st.st_mode & 07777),
	            arena_printf(arena, "%04o", b->st.st_mode & 07777));
	compare_add(d, "owner", arena_printf(arena, "%u:%u", a->st.st_uid, a->st.st_gid),
	            arena_printf(arena, "%u:%u", b->st.st_uid, b->st.st_gid));
	if ((a->st.st_mode ^ b->st.st_mode) & S_IFMT)
		return 0;
	if (S_ISREG(a->st.st_mode))
		r = compare_contents(w, a, b, name, d, e);
	if (S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode))
		compare_add(
		        d, "device",
		        arena_printf(arena, "%u:%u", major(a->st.st_rdev), minor(a->st.st_rdev)),
		        arena_printf(arena, "%u:%u", major(b->st.st_rdev), minor(b->st.st_rdev)));
	if (S_ISLNK(a->st.st_mode))
		r = add_both(w, a, b, name, d, "target", read_target, e);
	if (r < 0)
		return r;
	return add_both(w, a, b, name, d, "attributes", read_xattrs, e);
}

/* ---- the trees ---- */

static int walk_dirs(struct walk *w, int a, int b, unsigned depth, struct err *e);

static int open_dir(const struct side *s, const char *name)
{
	return s->there && S_ISDIR(s->st.st_mode)
	               ? openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
	               : -1;
}

static int walk_below(struct walk *w, const struct side *a, const struct side *b, const char *name,
                      unsigned depth, struct err *e)
{
	scope_fd int x = open_dir(a, name);
	scope_fd int y = open_dir(b, name);

	if ((x < 0 && a->there && S_ISDIR(a->st.st_mode)) ||
	    (y < 0 && b->there && S_ISDIR(b->st.st_mode)))
		return failed(w, errno, e);
	return x < 0 && y < 0 ? 0 : walk_dirs(w, x, y, depth + 1, e);
}

static int walk_name(struct walk *w, int a, int b, const char *name, unsigned depth, struct err *e)
{
	scope_arena struct arena *arena = arena_new();
	struct side x = {.dir = a, .there = a >= 0}, y = {.dir = b, .there = b >= 0};

	if ((x.there && fstatat(a, name, &x.st, AT_SYMLINK_NOFOLLOW) < 0) ||
	    (y.there && fstatat(b, name, &y.st, AT_SYMLINK_NOFOLLOW) < 0))
		return failed(w, errno, e);
	w->compare->arena = arena;
	struct compare_difference d = {.of = "file",
	                               .state = !x.there   ? COMPARE_ADDED
	                                        : !y.there ? COMPARE_REMOVED
	                                                   : COMPARE_CHANGED,
	                               .name = w->path};
	int r = x.there && y.there ? compare_both(w, &x, &y, name, &d, e)
	                           : tell_content(w, &x, &y, name, &d, e);
	if (r < 0)
		return r;
	compare_tell(w->compare, &d);
	return walk_below(w, &x, &y, name, depth, e);
}

static int walk_dirs(struct walk *w, int a, int b, unsigned depth, struct err *e)
{
	scope_listing struct listing x = {0};
	scope_listing struct listing y = {0};
	size_t before = w->len;

	if (depth > DEPTH)
		return failed(w, ELOOP, e);
	int r = a < 0 ? 0 : listing_read(a, &x);
	if (r < 0)
		return failed(w, -r, e);
	r = b < 0 ? 0 : listing_read(b, &y);
	if (r < 0)
		return failed(w, -r, e);
	for (int i = 0, k = 0; i < x.n || k < y.n;) {
		int order = i == x.n   ? 1
		            : k == y.n ? -1
		                       : strcmp(x.items[i]->d_name, y.items[k]->d_name);
		const char *name = (order <= 0 ? x.items[i] : y.items[k])->d_name;
		int n = snprintf(w->path + before, sizeof w->path - before, "/%s", name);

		if ((size_t)n >= sizeof w->path - before)
			return failed(w, ENAMETOOLONG, e);
		w->len = before + (size_t)n;
		if (!str_eq(w->path, "/lost+found")) /* the file system's own */
			r = walk_name(w, order <= 0 ? a : -1, order >= 0 ? b : -1, name, depth, e);
		if (r < 0)
			return r;
		i += order <= 0;
		k += order >= 0;
	}
	w->len = before;
	w->path[before] = '\0';
	return 0;
}

static int compare_tops(struct walk *w, struct err *e)
{
	struct side a = {.dir = w->compare->a->root}, b = {.dir = w->compare->b->root};
	struct compare_difference d = {.of = "file", .state = COMPARE_CHANGED, .name = "/"};

	if (fstat(a.dir, &a.st) < 0 || fstat(b.dir, &b.st) < 0)
		return failed(w, errno, e);
	int r = compare_both(w, &a, &b, ".", &d, e);
	if (r < 0)
		return r;
	compare_tell(w->compare, &d);
	return 0;
}

static int compare_trees(struct walk *w, struct err *e)
{
	int r = compare_tops(w, e);

	if (r < 0)
		return r;
	return walk_dirs(w, w->compare->a->root, w->compare->b->root, 0, e);
}

int compare_files(struct compare *c, struct err *e)
{
	struct arena *was = c->arena;
	scope_mem char *pieces = malloc(2UL * PIECE);
	struct walk w = {.compare = c, .pieces = pieces};

	if (!pieces)
		abort();
	int r = compare_trees(&w, e);
	c->arena = was;
	return r;
}
