/* SPDX-License-Identifier: Apache-2.0 */
/* check: tells whether a recipe would be accepted. Needs no root, no network and no tools. */
#include <stdio.h>

#include "base/log.h"
#include "build/intent.h"
#include "component/component.h"
#include "program/feed.h"
#include "recipe/copy.h"
#include "recipe/feature.h"
#include "recipe/foreign.h"
#include "recipe/recipe.h"
#include "recipe/test.h"
#include "verb/verb.h"

/* What a good file is told to be. */
struct good {
	const char *path;
	const struct recipe *recipe; /* NULL: ParallelCluster's */
	size_t steps, copies;
	const struct component_list *components;
	size_t tests;
	const struct foreign *foreign;
};

static void print_good(const struct good *g)
{
	if (g->foreign) {
		printf("%s: ok: ParallelCluster image configuration for 'provision%s', %zu "
		       "components%s\n",
		       g->path, g->foreign->lacks.n ? " --incomplete" : "", g->steps,
		       g->foreign->update.n ? ", UpdateOsPackages" : "");
		for (size_t i = 0; i < g->foreign->notes.n; i++)
			printf("%s\n", g->foreign->notes.items[i]);
		return;
	}
	for (size_t i = 0; i < g->components->n; i++)
		for (size_t k = 0; k < g->components->items[i].notes.n; k++)
			printf("note: %s\n", g->components->items[i].notes.items[k]);
	printf("%s: ok: image %s %s, %zu steps, %zu copies, %zu components, %zu tests", g->path,
	       g->recipe->name, g->recipe->version, g->steps, g->copies, g->components->n,
	       g->tests);
	if (g->recipe->n_left)
		printf(", %zu parts for other images", g->recipe->n_left);
	putchar('\n');
}

static void event_notes(struct jsonw *w, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		jsonw_str(w, NULL, items[i]);
}

static void event_good(struct feed *f, const struct good *g)
{
	struct jsonw *w = feed_begin(f, "checked");

	jsonw_str(w, "file", g->path);
	jsonw_str(w, "state", "ok");
	jsonw_u64(w, "steps", g->steps);
	if (!g->foreign) {
		jsonw_str(w, "image", g->recipe->name);
		jsonw_str(w, "version", g->recipe->version);
		jsonw_u64(w, "copies", g->copies);
		jsonw_u64(w, "components", g->components->n);
		jsonw_u64(w, "tests", g->tests);
		jsonw_u64(w, "left_out", g->recipe->n_left);
	}
	jsonw_begin(w, "notes", '[');
	if (g->foreign)
		event_notes(w, g->foreign->notes.items, g->foreign->notes.n);
	for (size_t i = 0; !g->foreign && i < g->components->n; i++)
		event_notes(w, g->components->items[i].notes.items,
		            g->components->items[i].notes.n);
	jsonw_end(w, ']');
	feed_end(f);
}

static void tell_good(const struct image *image, const struct good *g)
{
	struct feed f;

	feed_open(&f, &image->program, stdout);
	if (image->program.json)
		event_good(&f, g);
	else if (!image->program.quiet)
		print_good(g);
}

static void tell_faulty(const struct image *image, const char *path, size_t n)
{
	struct feed f;

	if (!image->program.json)
		return;
	feed_open(&f, &image->program, stdout);
	struct jsonw *w = feed_begin(&f, "checked");
	jsonw_str(w, "file", path);
	jsonw_str(w, "state", "faulty");
	jsonw_u64(w, "faults", n);
	feed_end(&f);
}

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
	r = component_read(recipe.components, NULL, a, &components, e);
	if (r < 0)
		return r;
	r = test_read(recipe.tests, &recipe.facts, a, &tests, e);
	if (r < 0)
		return r;
	r = intent_read(&recipe, faults, a, &intent, e);
	if (r < 0)
		return r;
	const struct good good = {path, &recipe, plan.n, copies.n, &components, tests.n, NULL};
	tell_good(g, &good);
	return 0;
}

static int check_one(struct image *g, const char *path, struct faults *faults, struct err *e)
{
	struct foreign foreign;
	int r = foreign_read(path, faults, g->program.arena, &foreign, e);

	if (r == 0)
		return check_recipe(g, path, faults, e);
	if (r < 0)
		return r;
	const struct good good = {.path = path, .steps = foreign.plan.n, .foreign = &foreign};
	tell_good(g, &good);
	return 0;
}

/* Prints all faults of a file; returns its exit status. */
static int fail(struct image *g, const char *path, struct faults *faults, const struct err *e)
{
	int status = 0;

	(void)faults_add(faults, e);
	for (size_t i = 0; i < faults->n; i++) {
		int mine = program_fail(&g->program, &faults->items[i]);

		/* A file that can't be read also counts as wrong input. */
		status = faults->items[i].kind == ERR_HOST ? 3 : mine;
	}
	tell_faulty(g, path, faults->n);
	return status;
}

int verb_check(void *program)
{
	struct image *g = program;
	int status = 0;

	for (int i = 0; i < g->program.line.n_operands; i++) {
		const char *path = g->program.line.operands[i];
		struct faults faults = {.arena = g->program.arena};
		struct err e;

		if (check_one(g, path, &faults, &e) < 0)
			status = fail(g, path, &faults, &e);
	}
	return status;
}
