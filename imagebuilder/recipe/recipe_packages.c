/* SPDX-License-Identifier: Apache-2.0 */
/* The packages that a recipe's own sections name, as one sorted list. */
#include "recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

#define PACKAGES_MAX 4096

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int recipe_packages(const struct recipe *recipe, struct arena *a, struct field_strings *ret,
                    struct err *e)
{
	static const struct field names = {"names", FIELD_STRINGS, 0, .max = PACKAGES_MAX};
	const struct doc *d = doc_get(recipe->sections, "packages");
	struct field_strings list = {0};

	if (d && d->type == DOC_MAP)
		d = doc_get(d, "names");
	if (d) {
		int r = field_decode_value(d, &names, &recipe->facts, a, &list, e);

		if (r < 0)
			return r;
	}
	if (list.n)
		qsort(list.items, list.n, sizeof *list.items, by_text);
	size_t n = 0;
	for (size_t i = 0; i < list.n; i++)
		if (n == 0 || !str_eq(list.items[n - 1], list.items[i]))
			list.items[n++] = list.items[i];
	list.n = n;
	*ret = list;
	return 0;
}
