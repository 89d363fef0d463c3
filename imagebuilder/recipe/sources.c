/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that files and scripts of a recipe are fetched from. */
#include "recipe/sources.h"

#include "kinds/kinds.h"

static const char *expanded(const struct doc *map, const char *key, const struct vars *facts,
                            struct arena *a)
{
	const struct doc *d = doc_get(map, key);
	const char *text;
	struct err none; /* can't fail: the plan has already read it */

	return d && vars_expand(facts, d, a, &text, &none) == 0 ? text : NULL;
}

int sources_of_step(const struct step *s, const struct vars *facts, struct arena *a,
                    struct component_fetches *ret, struct err *e)
{
	const char *uri = expanded(s->at, "source", facts, a);

	if ((s->kind != &kind_files && s->kind != &kind_scripts) || !uri ||
	    (!str_starts(uri, "s3://") && !str_starts(uri, "https://")))
		return 0;
	return component_fetches_add(ret, uri, expanded(s->at, "sha256", facts, a),
	                             doc_get(s->at, "source"), a, e);
}

int sources_of_recipe(const struct recipe *recipe, struct arena *a, struct component_fetches *ret,
                      struct err *e)
{
	struct plan plan;
	int r = recipe_plan(recipe, a, &plan, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < plan.n; i++) {
		r = sources_of_step(plan.steps[i], &recipe->facts, a, ret, e);
		if (r < 0)
			return r;
	}
	return 0;
}
