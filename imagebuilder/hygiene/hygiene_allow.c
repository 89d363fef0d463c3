/* SPDX-License-Identifier: Apache-2.0 */
/* Compares findings with what the recipe wants to be in the image. */
#include <fnmatch.h>
#include <string.h>

#include "hygiene/hygiene_own.h"

static bool fits(const char *pattern, const char *path)
{
	const char *name = strrchr(path, '/');

	return fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0 ||
	       (*pattern != '/' && name && fnmatch(pattern, name + 1, FNM_PATHNAME) == 0);
}

const struct hygiene_allow *hygiene_allows(const struct hygiene_intent *intent,
                                           const struct hygiene_rule *rule, const char *path)
{
	for (size_t i = 0; intent && i < intent->n; i++)
		if (str_eq(intent->allow[i].rule, rule->name) && fits(intent->allow[i].path, path))
			return &intent->allow[i];
	return NULL;
}

bool hygiene_declares(const struct hygiene_intent *intent, const char *path)
{
	size_t low = 0, high = intent ? intent->declared.n : 0, len = strlen(path);

	/* The first that isn't before it, which is it, or else may be the first below it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(intent->declared.items[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; intent && low < intent->declared.n; low++) {
		const char *p = intent->declared.items[low];
		if (strncmp(p, path, len) != 0)
			return false;
		if (!p[len] || p[len] == '/')
			return true;
	}
	return false;
}

size_t hygiene_unused(const struct hygiene_intent *intent, const struct hygiene_findings *f,
                      struct arena *a, const struct hygiene_allow ***ret)
{
	const struct hygiene_allow **list = arena_array(a, intent ? intent->n : 0, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; intent && i < intent->n; i++) {
		bool used = intent->allow[i].implied;
		for (size_t k = 0; k < f->n_allowed && !used; k++)
			used = f->allowed[k].allowed == &intent->allow[i];
		if (!used)
			list[n++] = &intent->allow[i];
	}
	*ret = list;
	return n;
}
