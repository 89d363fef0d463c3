/* SPDX-License-Identifier: Apache-2.0 */
/* lock: writes a recipe's lock, and finds it again. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "bases/base.h"
#include "bases/lock_repo.h"
#include "bases/lock_snapshot.h"
#include "recipe/sources.h"
#include "store/store.h"
#include "verb/verb.h"

#define FETCH_MS 3600000

/* Finds the recipe with the base; those above it install with apt in a layer of their own. */
static int find_bottom(const struct recipe *r, const struct recipe **ret, struct err *e)
{
	for (; r->parent; r = r->parent)
		if (doc_get(r->sections, "packages"))
			return doc_err(doc_get(r->sections, "packages"), e,
			               REASON_INPUT_UNSUPPORTED,
			               "packages over another recipe can't be locked: expected "
			               "them in '%s', or that recipe under 'include'",
			               r->from);
	if (!base_locks(r))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "%s: from '%s': only the packages of Debian and Ubuntu can be locked",
		        r->file, r->from ? r->from : "");
	*ret = r;
	return 0;
}

/* --snapshot, checked. */
static int find_snapshot(const struct image *g, const char **ret, struct err *e)
{
	const char *given = g->opt.snapshot;

	if (given && *given && (!lock_takes_url(given) || str_ends(given, "/")))
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
		               "--snapshot: '%s' is no address: expected http:// or https:// and "
		               "no / at its end",
		               given);
	*ret = !given ? SNAPSHOT_DEBIAN : *given ? given : NULL;
	return 0;
}

int image_lock(struct image *g, const char *path, const struct recipe *recipe,
               const struct lock **ret, struct err *e)
{
	const char *file = lock_path(path, g->program.arena);
	struct lock *l = arena_alloc(g->program.arena, sizeof *l);
	const struct recipe *bottom;

	*ret = NULL;
	if (g->opt.unlocked || access(file, F_OK) < 0)
		return 0;
	int r = find_bottom(recipe, &bottom, e);
	if (r < 0)
		return r;
	r = lock_read(file, g->program.arena, l, e);
	if (r < 0)
		return r;
	r = find_snapshot(g, &l->snapshot, e);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}

static int open_cloud(void *ctx, struct cloud **ret, struct err *e)
{
	return image_cloud(ctx, ret, e);
}

struct lock_source image_source(struct image *g)
{
	return (struct lock_source){.open = open_cloud, .ctx = g};
}

/* What the sections and components of the recipe and of its parents fetch. */
static int find_fetches(const struct recipe *recipe, struct arena *a, struct component_fetches *ret,
                        struct err *e)
{
	struct component_list l;
	int r = recipe->parent ? find_fetches(recipe->parent, a, ret, e) : 0;

	if (r < 0)
		return r;
	r = sources_of_recipe(recipe, a, ret, e);
	if (r < 0)
		return r;
	r = component_read(recipe->components, a, &l, e);
	if (r < 0)
		return r;
	return component_fetches(&l, PHASES_ALL, a, ret, e);
}

/* The packages of the recipe's base, as apt would install them today. */
static int resolve(const struct recipe *recipe, struct arena *a, struct lock *ret, struct err *e)
{
	struct strbuf unused = STRBUF(a, 1UL << 20);
	const struct recipe *bottom;
	struct field_strings sources;
	struct base b;
	int r = find_bottom(recipe, &bottom, e);

	if (r < 0)
		return r;
	r = base_plan(bottom, NULL, a, &b, &unused, e);
	if (r < 0)
		return r;
	r = base_sources(bottom, a, &sources, e);
	if (r < 0)
		return r;
	return lock_resolve(bottom->from, bottom->arch, &b.packages, &sources, a, ret, e);
}

static int write_lock(struct image *g, const char *path, struct lock *ret,
                      struct component_fetches *fetches, struct err *e)
{
	const struct lock_source source = image_source(g);
	struct arena *a = g->program.arena;
	struct recipe recipe;

	if (str_eq(lock_path(path, g->program.arena), path))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "'%s' is called as its lock would be: expected a recipe's name, as "
		               "compute.yaml",
		               path);
	const char *snapshot;
	int r = find_snapshot(g, &snapshot, e);
	if (r < 0)
		return r;
	r = recipe_load(path, &g->opt.set, a, &recipe, e);
	if (r < 0)
		return r;
	r = resolve(&recipe, a, ret, e);
	if (r < 0)
		return r;
	ret->snapshot = snapshot;
	r = find_fetches(&recipe, a, fetches, e);
	if (r < 0)
		return r;
	r = lock_find_files(fetches, &source, a, ret, e);
	if (r < 0)
		return r;
	return lock_write(ret, lock_path(path, a), e);
}

static int fetch(struct image *g, const struct lock *l, struct component_fetches *fetches,
                 struct err *e)
{
	const struct lock_source source = image_source(g);
	scope_store struct store s = STORE_INIT;
	int r = store_open(g->opt.store ? g->opt.store : STORE_DEFAULT, &s, e);

	if (r < 0)
		return r;
	r = lock_fetch(l, &s, clock_in_ms(FETCH_MS), e);
	if (r < 0)
		return r;
	r = lock_fix_files(l, fetches, g->program.arena, e);
	if (r < 0)
		return r;
	r = lock_open_files(fetches, &s, &source, clock_in_ms(FETCH_MS), e);
	lock_close_files(fetches);
	return r;
}

int verb_lock(void *program)
{
	struct image *g = program;
	const char *path = g->program.line.operands[0];
	struct component_fetches fetches = {0};
	struct lock l;
	struct err e;

	if (write_lock(g, path, &l, &fetches, &e) < 0 ||
	    (g->opt.fetch && fetch(g, &l, &fetches, &e) < 0))
		return program_fail(&g->program, &e);
	if (!g->program.quiet)
		printf("'%s' has %zu packages and %zu files\n", lock_path(path, g->program.arena),
		       l.n, l.n_files);
	return 0;
}
