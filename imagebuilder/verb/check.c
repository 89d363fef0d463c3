/* SPDX-License-Identifier: Apache-2.0 */
/* check: tells whether a recipe would be accepted. Needs no root, no network and no tools. */
#include <stdio.h>

#include "base/log.h"
#include "build/intent.h"
#include "component/component.h"
#include "recipe/copy.h"
#include "recipe/feature.h"
#include "recipe/foreign.h"
#include "recipe/recipe.h"
#include "recipe/test.h"
#include "verb/verb.h"

static int check_recipe(struct image *g, const char *path, struct faults *faults, struct err *e)
{
	struct arena *a = g->program.arena;
	struct recipe recipe;
	struct plan plan;
	struct copy_list copies;
	struct component_list components;
	struct test_list tests;
	struct hygiene_intent intent;
	int r = recipe_load_all(path, &g->opt.set, faults, a, &recipe, e);

	if (r < 0)
		return r;
	r = recipe_plan(&recipe, a, &plan, e);
	if (r < 0)
		return r;
	r = feature_check(&recipe, a, e);
	if (r < 0)
		return r;
	r = copy_read(recipe.copy, &recipe.facts, a, &copies, e);
	if (r < 0)
		return r;
	r = component_read(recipe.components, a, &components, e);
	if (r < 0)
		return r;
	r = test_read(recipe.tests, &recipe.facts, a, &tests, e);
	if (r < 0)
		return r;
	r = intent_read(&recipe, faults, a, &intent, e);
	if (r < 0)
		return r;
	if (g->program.quiet)
		return 0;
	printf("%s: ok: image %s %s, %zu steps, %zu copies, %zu components, %zu tests", path,
	       recipe.name, recipe.version, plan.n, copies.n, components.n, tests.n);
	if (recipe.n_left)
		printf(", %zu parts for other images", recipe.n_left);
	putchar('\n');
	return 0;
}

static void tell_foreign(const char *path, const struct foreign *f)
{
	printf("%s: ok: ParallelCluster image configuration for 'provision', %zu components%s\n",
	       path, f->plan.n, f->update.n ? ", UpdateOsPackages" : "");
	for (size_t i = 0; i < f->notes.n; i++)
		printf("%s\n", f->notes.items[i]);
}

static int check_one(struct image *g, const char *path, struct faults *faults, struct err *e)
{
	struct foreign foreign;
	int r = foreign_read(path, faults, g->program.arena, &foreign, e);

	if (r == 0)
		return check_recipe(g, path, faults, e);
	if (r > 0 && !g->program.quiet)
		tell_foreign(path, &foreign);
	return r < 0 ? r : 0;
}

/* Prints all faults of a file; returns its exit status. */
static int fail(struct image *g, struct faults *faults, const struct err *e)
{
	int status = 0;

	(void)faults_add(faults, e);
	for (size_t i = 0; i < faults->n; i++) {
		int mine = program_fail(&g->program, &faults->items[i]);

		/* A file that can't be read also counts as wrong input. */
		status = faults->items[i].kind == ERR_HOST ? 3 : mine;
	}
	return status;
}

int verb_check(void *program)
{
	struct image *g = program;
	int status = 0;

	for (int i = 0; i < g->program.line.n_operands; i++) {
		struct faults faults = {.arena = g->program.arena};
		struct err e;

		if (check_one(g, g->program.line.operands[i], &faults, &e) < 0)
			status = fail(g, &faults, &e);
	}
	return status;
}
