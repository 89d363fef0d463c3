/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what the packages, components, scripts and copies of a recipe may bring. */
#include "recipe/brings.h"

#include <fnmatch.h>
#include <string.h>

const struct recipe *brings_lowest(const struct recipe *r)
{
	while (r->parent)
		r = r->parent;
	return r;
}

bool brings_match(const char *globs, const char *name, struct arena *a)
{
	for (const char *p = globs; *p;) {
		size_t len = strcspn(p, " ");

		if (fnmatch(arena_memdup(a, p, len), name, 0) == 0)
			return true;
		p += len + (p[len] == ' ');
	}
	return false;
}

int brings_package(const struct recipe *top, const char *globs, struct arena *a, bool *ret,
                   struct err *e)
{
	bool found = false;

	for (const struct recipe *recipe = top; recipe; recipe = recipe->parent) {
		struct field_strings list;
		int r = recipe_packages(recipe, a, &list, e);

		if (r < 0)
			return r;
		for (size_t i = 0; i < list.n; i++)
			found = found || brings_match(globs, list.items[i], a);
	}
	*ret = found;
	return 0;
}

static bool copies_to(const struct recipe *r, const char *const *places)
{
	for (size_t i = 0; r->copy && r->copy->type == DOC_LIST && i < r->copy->n; i++)
		for (size_t k = 0; places[k]; k++) {
			const char *to = doc_text(r->copy->items[i], "to");

			if (to && str_starts(to, places[k]))
				return true;
		}
	return false;
}

bool brings_unknown(const struct recipe *r, const char *const *places)
{
	const struct doc *scripts = doc_get(r->sections, "scripts");

	if ((r->components && r->components->n) || (scripts && scripts->n) || copies_to(r, places))
		return true;
	return r->parent && brings_unknown(r->parent, places);
}
