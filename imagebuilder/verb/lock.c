/* SPDX-License-Identifier: Apache-2.0 */
/* lock: writing a recipe's lock, and finding it again. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "build/base.h"
#include "build/lock_repo.h"
#include "recipe/sources.h"
#include "store/store.h"
#include "verb/image.h"

#define FETCH_MS 3600000

/* The recipe with the base; those over it install by apt in a layer of their own. */
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

int image_lock(struct image *g, const char *path, const struct recipe *r, const struct lock **ret,
               struct err *e)
{
	const char *file = lock_path(path, g->program.arena);
	struct lock *l = arena_alloc(g->program.arena, sizeof *l);
	const struct recipe *bottom;
	int err;

	*ret = NULL;
	if (g->opt.unlocked || access(file, F_OK) < 0)
		return 0;
	err = find_bottom(r, &bottom, e);
	if (err == 0)
		err = lock_read(file, g->program.arena, l, e);
	if (err == 0)
		*ret = l;
	return err;
}

static int open_cloud(void *ctx, struct cloud **ret, struct err *e)
{
	return image_cloud(ctx, ret, e);
}

struct lock_source image_source(struct image *g)
{
	return (struct lock_source){.open = open_cloud, .ctx = g};
}

/* What the sections and components of the recipe and of those below it fetch. */
static int find_fetches(const struct recipe *r, struct arena *a, struct component_fetches *ret,
                        struct err *e)
{
	struct component_list l;
	int err = r->parent ? find_fetches(r->parent, a, ret, e) : 0;

	if (err == 0)
		err = sources_of_recipe(r, a, ret, e);
	if (err == 0)
		err = component_read(r->components, a, &l, e);
	if (err == 0)
		err = component_fetches(&l, PHASES_ALL, a, ret, e);
	return err;
}

static int write_lock(struct image *g, const char *path, struct lock *ret,
                      struct component_fetches *fetches, struct err *e)
{
	const struct lock_source source = image_source(g);
	struct strbuf unused = STRBUF(g->program.arena, 1UL << 20);
	const struct recipe *bottom;
	struct field_strings sources;
	struct recipe r;
	struct base b;
	struct lock l;
	int err;

	if (str_eq(lock_path(path, g->program.arena), path))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "'%s' is called as its lock would be: expected a recipe's name, as "
		               "compute.yaml",
		               path);
	err = recipe_load(path, &g->opt.set, g->program.arena, &r, e);
	if (err == 0)
		err = find_bottom(&r, &bottom, e);
	if (err == 0)
		err = base_plan(bottom, NULL, g->program.arena, &b, &unused, e);
	if (err == 0)
		err = base_sources(bottom, g->program.arena, &sources, e);
	if (err == 0)
		err = lock_resolve(bottom->from, bottom->arch, &b.packages, &sources,
		                   g->program.arena, &l, e);
	if (err == 0)
		err = find_fetches(&r, g->program.arena, fetches, e);
	if (err == 0)
		err = lock_find_files(fetches, &source, g->program.arena, &l, e);
	if (err == 0)
		err = lock_write(&l, lock_path(path, g->program.arena), e);
	if (err == 0)
		*ret = l;
	return err;
}

static int fetch(struct image *g, const struct lock *l, struct component_fetches *fetches,
                 struct err *e)
{
	const struct lock_source source = image_source(g);
	scope_store struct store s = STORE_INIT;
	int err = store_open(g->opt.store ? g->opt.store : STORE_DEFAULT, &s, e);

	if (err == 0)
		err = lock_fetch(l, &s, clock_in_ms(FETCH_MS), e);
	if (err == 0)
		err = lock_fix_files(l, fetches, e);
	if (err == 0)
		err = lock_open_files(fetches, &s, &source, clock_in_ms(FETCH_MS), e);
	lock_close_files(fetches);
	return err;
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
