/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the option --storage. */
#include "state/storage.h"

#include <errno.h>

/* --storage NAME=SOURCE, as a map. */
static int read_map(struct life *l, const struct doc **ret, struct err *e)
{
	struct arena *a = l->program.arena;
	struct doc *map = doc_new_map(a, NULL);

	for (size_t i = 0; i < l->storage.n; i++) {
		const char *text = l->storage.items[i], *eq = strchr(text, '=');

		if (!eq || eq == text || !eq[1])
			return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
			               "--storage '%s': expected NAME=SOURCE", text);
		doc_put_text(a, map, arena_memdup(a, text, (size_t)(eq - text)), eq + 1);
	}
	*ret = map;
	return 0;
}

/* A source that no storage of the file takes is a typing error. */
static int check(const struct doc *config, const struct doc *given, struct err *e)
{
	const struct doc *list = doc_get(config, "SharedStorage");

	for (size_t i = 0; i < given->n; i++) {
		size_t k = 0;

		while (list && k < list->n &&
		       !str_eq(doc_text(list->items[k], "Name"), given->keys[i]->text))
			k++;
		if (!list || k == list->n)
			return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, ENOENT,
			               "--storage: the file has no shared storage '%s'",
			               given->keys[i]->text);
	}
	return 0;
}

int storage_read(struct life *l, const struct doc *config, const struct doc **ret, struct err *e)
{
	const struct doc *map;
	int r = read_map(l, &map, e);

	if (r < 0)
		return r;
	r = check(config, map, e);
	if (r < 0)
		return r;
	*ret = map;
	return 0;
}
