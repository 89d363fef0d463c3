/* SPDX-License-Identifier: Apache-2.0 */
/* Measures what builds have fetched, and removes what hasn't been used for longest. */
#include "store/objects.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "os/tree.h"

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

struct found {
	struct arena *arena;
	size_t n;
	struct object *items;
	uint64_t bytes;
};

static int add_object(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct found *f = ctx;

	(void)e;
	if (!S_ISREG(at->st->st_mode) || at->name[0] == '.')
		return TREE_PRUNE;
	f->items = arena_grow(f->arena, f->items, &f->n, sizeof *f->items);
	f->items[f->n - 1] = (struct object){arena_strdup(f->arena, at->name),
	                                     (uint64_t)at->st->st_blocks * 512, at->st->st_mtime};
	f->bytes += f->items[f->n - 1].bytes;
	return TREE_GO;
}

/* Lists them, least recently used first. */
static void list(int dir, struct found *ret)
{
	const struct tree_walk w = {
	        .visit = add_object, .ctx = ret, .changing = true, .unreadable = true};
	struct err e;

	if (dir < 0)
		return;
	if (tree_walk(dir, &w, &e) < 0)
		log_warning("%s", e.text);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof *ret->items, by_use);
}

void objects_measure(const struct store *s, size_t *ret_n, uint64_t *ret_bytes)
{
	scope_arena struct arena *a = arena_new();
	scope_fd int dir = open_dir(s);
	struct found found = {.arena = a};

	list(dir, &found);
	*ret_n = found.n;
	*ret_bytes = found.bytes;
}

void objects_prune(const struct store *s, uint64_t keep, size_t *ret_n, uint64_t *ret_bytes)
{
	scope_arena struct arena *a = arena_new();
	scope_fd int dir = open_dir(s);
	struct found found = {.arena = a};

	list(dir, &found);
	*ret_n = 0;
	*ret_bytes = 0;
	for (size_t i = 0; i < found.n && found.bytes > keep; i++) {
		const struct object *o = &found.items[i];

		if (clock_wall() - o->used < OBJECTS_FRESH_S || unlinkat(dir, o->name, 0) < 0)
			continue;
		found.bytes -= o->bytes;
		*ret_bytes += o->bytes;
		++*ret_n;
	}
}
