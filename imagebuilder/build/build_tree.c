/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a recipe's chain, made or found in the store one after another. */
#include "build/build_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "build/cleaned.h"
#include "build/why.h"

static int make(const struct chain *c, size_t i, struct store *s, const struct built *b,
                struct layer *l, uint64_t start, struct err *e)
{
	int r = chain_make(c, i, b->trees, l, e);

	if (r < 0)
		return r;
	return layer_publish(s, l, b->key, c->steps[i].name, clock_now() - start, e);
}

#define FULL_MIB 64 /* less is no space: what is left is the file system's own reserve */

/* Puts it first that there is no space left, which the step's programs say in many ways. */
static bool say_full(const struct store *s, const struct layer *l, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *text = arena_strdup(a, e->text);
	struct statvfs fs;

	if (e->reason != REASON_HOST_SPACE && !layer_says_full(l))
		return false;
	uint64_t left = statvfs(s->path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize >> 20 : 0;
	if (left >= FULL_MIB && e->reason != REASON_HOST_SPACE)
		(void)err_set(e, ERR_HOST, REASON_HOST_SPACE, ENOSPC,
		              "no space is left in memory for /tmp or /run of the step, or below a "
		              "limit of its own: %s",
		              text);
	else
		(void)err_set(e, ERR_HOST, REASON_HOST_SPACE, ENOSPC,
		              "no space is left at '%s', which has %" PRIu64 " MiB: %s", s->path,
		              left, text);
	return left < FULL_MIB;
}

static int fail_step(const struct store *s, struct progress *p, struct layer *l, const char *name,
                     uint64_t start, struct err *e)
{
	layer_log(l, e->text);
	bool full = say_full(s, l, e);
	(full ? layer_keep_log : layer_keep_failed)(s, l);
	progress_failed(p, name, l, !full, clock_now() - start);
	cleaned_tell(p, l->dir);
	return err_wrap(e, "step '%s'", name);
}

static int take_step(const struct chain *c, size_t i, struct store *s, struct progress *p,
                     struct built *b, size_t n_trees, struct layer *l, struct err *e)
{
	const char *name = c->steps[i].name;
	uint64_t start = clock_now();
	char key[SHA256_HEX];

	chain_key(c, i, b->key, key);
	progress_running(p, name, key);
	int r = layer_open(s, key, clock_in_ms(CHAIN_BASE_MS), l, e);
	if (r < 0)
		return r;
	if (l->cached) {
		progress_done(p, name, key, "cached", clock_now() - start);
		cleaned_tell(p, l->dir);
		return 0;
	}
	b->trees[n_trees] = NULL;
	l->said = progress_said;
	l->said_ctx = p;
	r = make(c, i, s, b, l, start, e);
	if (r < 0)
		return fail_step(s, p, l, name, start, e);
	progress_done(p, name, key, "built", clock_now() - start);
	cleaned_tell(p, l->dir);
	return 0;
}

/* `layers` are those of the tree, the base first. */
static void choose_stem(const struct store *s, const struct layer *const *layers, size_t n,
                        struct built *b)
{
	uint64_t bytes = 0;

	for (b->fresh = 0; b->fresh + 1 < n; b->fresh++) {
		struct store_entry entry;

		if (store_entry(s, layers[n - 1 - b->fresh]->key, b->arena, &entry))
			bytes += entry.bytes;
		if (b->fresh >= STEM_FRESH_MIN && bytes > STEM_FRESH_BYTES)
			break;
	}
	b->stem_dir = n > 1 ? layers[n - 1 - b->fresh]->dir : "";
}

static int take_steps(const struct chain *c, struct store *s, struct progress *p, struct built *b,
                      struct err *e)
{
	const struct layer **layers = arena_array(b->arena, c->n, sizeof *layers);
	size_t n_trees = 0;

	b->key = b->stem_dir = "";
	for (size_t i = 0; i < c->n; i++) {
		struct layer *l = &b->held[b->n++];
		int r;

		*l = (struct layer){.lock = -1, .log = -1, .cached = true};
		r = take_step(c, i, s, p, b, n_trees, l, e);
		if (r < 0)
			return r;
		if (!c->steps[i].type->layer)
			continue;
		if (c->steps[i].type->has_sbom)
			b->sbom = arena_printf(b->arena, "%s/" CHAIN_SBOM, l->dir);
		b->key = l->key;
		layers[n_trees] = l;
		b->trees[n_trees++] = l->tree;
		b->trees[n_trees] = NULL;
	}
	choose_stem(s, layers, n_trees, b);
	return 0;
}

int build_tree(const struct recipe *recipe, const struct lock *lock, const struct lock_source *from,
               struct store *s, struct progress *p, struct arena *a, struct built *ret,
               struct err *e)
{
	struct built b = {.arena = a};
	struct chain c;
	int r = chain_plan(recipe, lock, a, &c, e);

	if (r < 0)
		return r;
	c.store = s;
	c.source = from;
	p->of = c.n;
	b.held = arena_array(a, c.n, sizeof *b.held);
	b.trees = arena_array(a, c.n + 1, sizeof *b.trees);
	r = take_steps(&c, s, p, &b, e);
	if (r < 0) {
		if (*b.held[b.n - 1].key) /* else another build makes it */
			why_remember(&c, s, recipe->file, b.held, b.n - 1, true);
		built_close(&b);
		return r;
	}
	why_remember(&c, s, recipe->file, b.held, b.n, false);
	*ret = b;
	return 0;
}

void built_close(struct built *b)
{
	for (size_t i = 0; i < b->n; i++)
		layer_close(&b->held[i]);
	b->n = 0;
}
