/* SPDX-License-Identifier: Apache-2.0 */
/* plan: a recipe's steps, in the order they are carried out. */
#include <stdio.h>

#include "image.h"
#include "recipe.h"

#define TEXT_MAX (4 * 1024 * 1024)

int verb_plan(void *program)
{
	struct image *g = program;
	struct strbuf b = STRBUF(g->arena, TEXT_MAX);
	struct recipe r;
	struct plan plan;
	struct err e;
	int err = recipe_load(g->opt.line.operands[0], &g->opt.set, g->arena, &r, &e);

	if (err == 0)
		err = recipe_plan(&r, g->arena, &plan, &e);
	if (err < 0)
		return image_fail(&e);
	(g->opt.json ? plan_json : plan_print)(&plan, &b);
	if (b.data)
		fwrite(b.data, 1, b.len, stdout);
	return 0;
}
