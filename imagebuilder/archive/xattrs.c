/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and sets the extended attributes of files by a directory's descriptor and a name. */
#include "archive/xattrs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>

#define LIST_MAX  65536 /* XATTR_LIST_MAX: the most the kernel returns */
#define VALUE_MAX 65536 /* XATTR_SIZE_MAX */
#define PATH_LEN  (64 + NAME_MAX)

/* There are no system calls for xattrs that take a directory and a name. */
static void path_of(int dir, const char *name, char ret[static PATH_LEN])
{
	snprintf(ret, PATH_LEN, "/proc/self/fd/%d/%s", dir, name);
}

bool xattrs_takes(const char *name)
{
	return !str_starts(name, "trusted.overlay.") && !str_starts(name, "user.overlay.");
}

static int by_name(const void *a, const void *b)
{
	const struct xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* A value doesn't change its size between two calls: nobody else writes to the trees. */
static int read_value(const char *path, struct arena *a, struct xattr *x)
{
	ssize_t len = lgetxattr(path, x->name, NULL, 0);

	if (len < 0)
		return -errno;
	if (len > VALUE_MAX)
		return -E2BIG;
	char *value = arena_alloc(a, (size_t)len + 1);
	len = lgetxattr(path, x->name, value, (size_t)len);
	if (len < 0)
		return -errno;
	x->value = (struct blob){value, (size_t)len};
	return 0;
}

int xattrs_read(int dir, const char *name, struct arena *a, struct xattrs *ret)
{
	char path[PATH_LEN], few[1024], *list = few;
	struct xattrs all = {0};

	path_of(dir, name, path);
	ssize_t len = llistxattr(path, few, sizeof few);
	if (len < 0 && errno == ERANGE) {
		list = arena_alloc(a, LIST_MAX);
		len = llistxattr(path, list, LIST_MAX);
	}
	if (len < 0 && errno != ENOTSUP)
		return -errno;
	for (const char *p = list; p < list + len; p += strlen(p) + 1) {
		if (!xattrs_takes(p))
			continue;
		all.items = arena_grow(a, all.items, &all.n, sizeof *all.items);
		all.items[all.n - 1].name = arena_strdup(a, p);
		int r = read_value(path, a, &all.items[all.n - 1]);
		if (r < 0)
			return r;
	}
	if (all.n)
		qsort(all.items, all.n, sizeof *all.items, by_name);
	*ret = all;
	return 0;
}

int xattrs_set(int dir, const char *name, const struct xattr *x)
{
	char path[PATH_LEN];

	path_of(dir, name, path);
	return lsetxattr(path, x->name, x->value.data, x->value.len, 0) < 0 ? -errno : 0;
}
