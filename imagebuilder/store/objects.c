/* SPDX-License-Identifier: Apache-2.0 */
#include "store/objects.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"

struct object {
	const char *name;
	uint64_t bytes;
	int64_t used;
};

void objects_touch(const char *path)
{
	(void)utimensat(AT_FDCWD, path, NULL, 0);
}

static int by_use(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

static int open_dir(const struct store *s)
{
	return s->fd < 0 ? -1 : openat(s->fd, "objects", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The one longest unused first; their sum. */
static size_t list(int dir, struct arena *a, struct object **ret, uint64_t *ret_bytes)
{
	int own = dir < 0 ? -1 : fcntl(dir, F_DUPFD_CLOEXEC, 0);
	scope_dir DIR *d = own < 0 ? NULL : fdopendir(own);
	struct object *items = NULL;
	struct dirent *entry;
	struct stat st;
	size_t n = 0;

	*ret_bytes = 0;
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		items = arena_grow(a, items, &n, sizeof *items);
		items[n - 1] = (struct object){arena_strdup(a, entry->d_name),
		                               (uint64_t)st.st_blocks * 512, st.st_mtime};
		*ret_bytes += items[n - 1].bytes;
	}
	if (n)
		qsort(items, n, sizeof *items, by_use);
	*ret = items;
	return n;
}

void objects_measure(const struct store *s, size_t *ret_n, uint64_t *ret_bytes)
{
	scope_arena struct arena *a = arena_new();
	scope_fd int dir = open_dir(s);
	struct object *items;

	*ret_n = list(dir, a, &items, ret_bytes);
}

void objects_prune(const struct store *s, uint64_t keep, size_t *ret_n, uint64_t *ret_bytes)
{
	scope_arena struct arena *a = arena_new();
	scope_fd int dir = open_dir(s);
	struct object *items;
	uint64_t left;
	size_t n = list(dir, a, &items, &left);

	*ret_n = 0;
	*ret_bytes = 0;
	for (size_t i = 0; i < n && left > keep; i++) {
		if (clock_wall() - items[i].used < OBJECTS_FRESH_S ||
		    unlinkat(dir, items[i].name, 0) < 0)
			continue;
		left -= items[i].bytes;
		*ret_bytes += items[i].bytes;
		++*ret_n;
	}
}
