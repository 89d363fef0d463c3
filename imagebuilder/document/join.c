/* SPDX-License-Identifier: Apache-2.0 */
/* Lays one recipe over another. */
#include "document/join.h"

#include "kinds/kinds.h"

/* "packages: [a]" and "packages: {names: [a]}" are the same section. */
static struct doc *spelt_out(struct arena *a, const struct kind *k, struct doc *list)
{
	struct doc *map = doc_new_map(a, list);

	doc_put(a, map, k->fields[0].name, list);
	return map;
}

static int join(struct arena *a, const char *key, struct doc *under, struct doc *over,
                struct doc **ret, struct err *e);

int join_maps(struct arena *a, struct doc *under, struct doc *over, struct doc **ret, struct err *e)
{
	struct doc *map = doc_new_map(a, over);

	for (size_t i = 0; i < under->n; i++)
		doc_append(a, map, under->keys[i], under->items[i]);
	for (size_t i = 0; i < over->n; i++) {
		struct doc *mine = over->items[i];
		struct doc *below = doc_get(under, over->keys[i]->text);

		if (!doc_has(under, over->keys[i]->text)) {
			doc_append(a, map, over->keys[i], mine);
			continue;
		}
		/* If it is null there, there is nothing to merge with. */
		if (below) {
			int r = join(a, over->keys[i]->text, below, mine, &mine, e);

			if (r < 0)
				return r;
		}
		doc_put(a, map, over->keys[i]->text, mine);
	}
	*ret = map;
	return 0;
}

static struct doc *join_lists(struct arena *a, const struct doc *under, const struct doc *over)
{
	struct doc *list = doc_new_list(a, over);

	for (size_t i = 0; i < under->n; i++)
		doc_push(a, list, under->items[i]);
	for (size_t i = 0; i < over->n; i++)
		doc_push(a, list, over->items[i]);
	return list;
}

static int join(struct arena *a, const char *key, struct doc *under, struct doc *over,
                struct doc **ret, struct err *e)
{
	const struct kind *k = kinds_find(key);

	if (k && k->shape == KIND_STRINGS && under->type == DOC_LIST && over->type == DOC_MAP)
		under = spelt_out(a, k, under);
	if (k && k->shape == KIND_STRINGS && under->type == DOC_MAP && over->type == DOC_LIST)
		over = spelt_out(a, k, over);
	if (over->type == DOC_NULL || under->type == DOC_NULL) {
		*ret = over->type == DOC_NULL ? under : over;
		return 0;
	}
	if (under->type != over->type)
		return doc_err(over, e, REASON_INPUT_TYPE,
		               "'%s' is a %s here and a %s in %s:%u, expected the same of both",
		               key, doc_type_name(over), doc_type_name(under), under->file,
		               under->line);
	if (over->type == DOC_MAP)
		return join_maps(a, under, over, ret, e);
	*ret = over->type == DOC_LIST ? join_lists(a, under, over) : over;
	return 0;
}
