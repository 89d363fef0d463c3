/* SPDX-License-Identifier: Apache-2.0 */
/* Removes layers that are no longer used, and what killed processes left behind. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/str.h"
#include "os/tree.h"
#include "store/store_own.h"

/* Removes a layer if no process has it; renames it first, so that a partly removed one is never
 * used. */
static bool take_away(const struct store *s, const char *part, const char *key)
{
	char path[2400], gone[2400];

	snprintf(path, sizeof path, "%s/%s/%s", s->path, part, key);
	snprintf(gone, sizeof gone, "%s/work/%s", s->path, key);
	if (!str_eq(part, "work")) {
		store_remove(gone);
		if (rename(path, gone) < 0)
			return false;
	}
	store_remove(gone);
	return true;
}

static bool take_locked(const struct store *s, const char *part, const char *key)
{
	struct err ignored;
	scope_fd int lock = store_lock(s, key, LOCK_EX, &ignored);

	return lock >= 0 && take_away(s, part, key);
}

/* Also keeps one that was used since it was listed: another layer may be based on it now. */
static bool take_layer(const struct store *s, const struct store_entry *was)
{
	scope_arena struct arena *a = arena_new();
	struct store_entry now;
	struct err ignored;
	scope_fd int lock = store_lock(s, was->key, LOCK_EX, &ignored);

	return lock >= 0 && store_entry(s, was->key, a, &now) && now.used == was->used &&
	       now.used_ns == was->used_ns && take_away(s, "layers", was->key);
}

/* Left by a process that has ended: nobody holds its lock. */
static void take_leftover(const struct store *s, const char *part, const char *name)
{
	char path[2600];

	snprintf(path, sizeof path, "%s/%s/%s", s->path, part, name);
	scope_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		store_remove(path);
}

struct part {
	const struct store *store;
	const char *name;
};

static int prune_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct part *part = ctx;

	(void)e;
	if (store_is_key(at->name))
		take_locked(part->store, part->name, at->name);
	else
		take_leftover(part->store, part->name, at->name);
	return TREE_PRUNE;
}

/* What can't be read or removed stays: the next pruning tries again. */
static void prune_part(const struct store *s, const char *name)
{
	struct part part = {s, name};
	const struct tree_walk w = {
	        .visit = prune_one, .ctx = &part, .changing = true, .unreadable = true};
	struct err e;
	scope_fd int dir = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0 && tree_walk(dir, &w, &e) < 0)
		log_warning("%s", e.text);
}

/* The state of the layers while some are removed. */
struct pruning {
	const struct store *store;
	size_t n;
	struct store_entry *list; /* least recently used first */
	size_t *below;            /* index of the one below; n: it is the lowest, n + 1: missing */
	size_t *above;            /* how many are based on it */
	bool *done;               /* removed, or can't be removed */
	uint64_t left, removed;
	size_t count;
};

static size_t find_below(const struct pruning *p, size_t i)
{
	size_t k = 0;

	if (!*p->list[i].parent)
		return p->n;
	while (k < p->n && !str_eq(p->list[k].key, p->list[i].parent))
		k++;
	return k < p->n ? k : p->n + 1;
}

static void look_around(struct pruning *p, struct arena *a)
{
	p->below = arena_array(a, p->n + 1, sizeof *p->below);
	p->above = arena_array(a, p->n + 2, sizeof *p->above);
	p->done = arena_array(a, p->n + 1, sizeof *p->done);
	for (size_t i = 0; i < p->n; i++) {
		p->left += p->list[i].all;
		p->below[i] = find_below(p, i);
		p->above[p->below[i]]++;
	}
}

/* The layer below it is gone: made again it may differ, e.g. a base with newer packages. */
static bool is_stranded(const struct pruning *p, size_t i)
{
	for (size_t depth = 0; i < p->n && depth <= p->n; depth++)
		i = p->below[i];
	return i == p->n + 1;
}

/* Removes the first layer that no other is based on, of the stranded ones or of all. */
static bool take_next(struct pruning *p, bool stranded)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->done[i] || p->above[i] || (stranded && !is_stranded(p, i)))
			continue;
		p->done[i] = true;
		if (!take_layer(p->store, &p->list[i]))
			continue;
		p->above[p->below[i]]--;
		p->left -= p->list[i].all;
		p->removed += p->list[i].all;
		p->count++;
		return true;
	}
	return false;
}

void store_sweep(const struct store *s, bool failed)
{
	if (failed)
		prune_part(s, "failed");
	prune_part(s, "work");
}

int store_prune(const struct store *s, uint64_t keep, uint64_t *ret_left, uint64_t *ret_bytes,
                size_t *ret_n, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct pruning p = {.store = s};
	int r = store_list(s, a, &p.list, &p.n, e);

	if (r < 0)
		return r;
	store_sweep(s, true);
	look_around(&p, a);
	while (take_next(&p, true))
		;
	while (p.left > keep && take_next(&p, false))
		;
	*ret_left = p.left;
	*ret_bytes = p.removed;
	*ret_n = p.count;
	return 0;
}
