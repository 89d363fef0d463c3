/* SPDX-License-Identifier: Apache-2.0 */
/* check: is this a recipe we would build? Needs no root, no network and no tools. */
#include <stdio.h>

#include "base/log.h"
#include "recipe/component.h"
#include "recipe/copy.h"
#include "recipe/feature.h"
#include "recipe/recipe.h"
#include "recipe/test.h"
#include "verb/image.h"

static int check_one(struct image *g, const char *path, struct err *e)
{
	struct recipe r;
	struct plan plan;
	struct copy_list copies;
	struct component_list components;
	struct test_list tests;
	int err = recipe_load(path, &g->opt.set, g->program.arena, &r, e);

	if (err == 0)
		err = recipe_plan(&r, g->program.arena, &plan, e);
	if (err == 0)
		err = feature_check(&r, g->program.arena, e);
	if (err == 0)
		err = copy_read(r.copy, &r.facts, g->program.arena, &copies, e);
	if (err == 0)
		err = component_read(r.components, g->program.arena, &components, e);
	if (err == 0)
		err = test_read(r.tests, &r.facts, g->program.arena, &tests, e);
	if (err == 0 && !g->program.quiet)
		printf("%s: ok: image %s %s, %zu steps, %zu copies, %zu components, %zu tests\n",
		       path, r.name, r.version, plan.n, copies.n, components.n, tests.n);
	return err;
}

int verb_check(void *program)
{
	struct image *g = program;
	int status = 0;

	for (int i = 0; i < g->program.line.n_operands; i++) {
		struct err e;

		/* A file that can't be read is wrong input, too. */
		if (check_one(g, g->program.line.operands[i], &e) < 0) {
			int mine = program_fail(&g->program, &e);

			status = e.kind == ERR_HOST ? 3 : mine;
		}
	}
	return status;
}
