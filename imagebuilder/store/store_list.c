/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the layers of a store with their sizes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "data/json.h"
#include "os/tree.h"
#include "store/store_own.h"

#define META_MAX    (64 * 1024)
#define ENTRIES_MAX 65536

bool store_is_key(const char *name)
{
	return strlen(name) == SHA256_HEX - 1 && strspn(name, "0123456789abcdef") == SHA256_HEX - 1;
}

static int add_bytes(void *ctx, const struct tree_entry *at, struct err *e)
{
	uint64_t *bytes = ctx;

	(void)e;
	if (S_ISREG(at->st->st_mode))
		*bytes += (uint64_t)at->st->st_blocks * 512;
	return TREE_PRUNE;
}

/* What is stored beside its tree: its log, and disk stems, whose holes don't count. */
static uint64_t bytes_beside(const struct store *s, const char *key, struct arena *a)
{
	uint64_t bytes = 0;
	const struct tree_walk w = {
	        .visit = add_bytes, .ctx = &bytes, .changing = true, .unreadable = true};
	struct err e;
	scope_fd int dir = openat(s->fd, arena_printf(a, "layers/%s", key),
	                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0 && tree_walk(dir, &w, &e) < 0)
		log_warning("%s", e.text);
	return bytes;
}

bool store_entry(const struct store *s, const char *key, struct arena *a, struct store_entry *ret)
{
	const char *path = arena_printf(a, "layers/%s/meta.json", key);
	struct blob text;
	struct doc *d;
	struct stat st;
	struct err ignored;

	*ret = (struct store_entry){.key = arena_strdup(a, key), .step = "?", .parent = ""};
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	ret->used = st.st_mtim.tv_sec;
	ret->used_ns = st.st_mtim.tv_nsec;
	if (file_read(s->fd, path, META_MAX, a, &text, &ignored) < 0 ||
	    json_parse(path, text, a, &d, &ignored) < 0)
		return true;
	const char *bytes = doc_text(d, "bytes");
	if (bytes)
		(void)str_u64(bytes, 0, UINT64_MAX, &ret->bytes);
	ret->all = ret->bytes + bytes_beside(s, key, a);
	ret->step = doc_text(d, "step") ? doc_text(d, "step") : "?";
	ret->parent = doc_text(d, "parent") ? doc_text(d, "parent") : "";
	return true;
}

static int by_use(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return strcmp(x->key, y->key);
}

struct found {
	const struct store *store;
	struct arena *arena;
	size_t n;
	struct store_entry *items;
};

static int add_layer(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct found *f = ctx;
	struct store_entry one;

	(void)e;
	if (!store_is_key(at->name) || !store_entry(f->store, at->name, f->arena, &one))
		return TREE_PRUNE;
	f->items = arena_grow(f->arena, f->items, &f->n, sizeof *f->items);
	f->items[f->n - 1] = one;
	return TREE_PRUNE;
}

int store_list(const struct store *s, struct arena *a, struct store_entry **ret, size_t *ret_n,
               struct err *e)
{
	struct found found = {.store = s, .arena = a};
	const struct tree_walk w = {
	        .visit = add_layer, .ctx = &found, .changing = true, .entries = ENTRIES_MAX};

	if (s->fd >= 0) {
		scope_fd int dir = openat(s->fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0)
			return err_errno(e, errno, "reading '%s/layers'", s->path);
		int r = tree_walk(dir, &w, e);
		if (r < 0)
			return r;
	}
	if (found.n)
		qsort(found.items, found.n, sizeof *found.items, by_use);
	*ret = found.items;
	*ret_n = found.n;
	return 0;
}
