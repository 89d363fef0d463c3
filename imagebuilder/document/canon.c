/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of a recipe as canonical JSON, with its facts substituted. */
#include "document/canon.h"

#include <stdlib.h>

struct pair {
	const char *key;
	const struct doc *value;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void write_scalar(const struct doc *d, const struct vars *facts, struct strbuf *out)
{
	const char *text;
	struct err literal; /* not all scalars may use facts: then the text is taken literally */

	if (vars_expand(facts, d, out->arena, &text, &literal) < 0)
		text = d->text;
	strbuf_json(out, text);
}

static void write_map(const struct doc *d, const struct vars *facts, struct strbuf *out)
{
	struct pair *pairs = arena_array(out->arena, d->n, sizeof *pairs);

	for (size_t i = 0; i < d->n; i++)
		pairs[i] = (struct pair){d->keys[i]->text, d->items[i]};
	if (d->n)
		qsort(pairs, d->n, sizeof *pairs, by_key);
	strbuf_char(out, '{');
	for (size_t i = 0; i < d->n; i++) {
		if (i)
			strbuf_char(out, ',');
		strbuf_json(out, pairs[i].key);
		strbuf_char(out, ':');
		canon_write(pairs[i].value, facts, out);
	}
	strbuf_char(out, '}');
}

void canon_write(const struct doc *d, const struct vars *facts, struct strbuf *out)
{
	if (!d || d->type == DOC_NULL) {
		strbuf_str(out, "null");
	} else if (d->type == DOC_SCALAR) {
		write_scalar(d, facts, out);
	} else if (d->type == DOC_MAP) {
		write_map(d, facts, out);
	} else {
		strbuf_char(out, '[');
		for (size_t i = 0; i < d->n; i++) {
			if (i)
				strbuf_char(out, ',');
			canon_write(d->items[i], facts, out);
		}
		strbuf_char(out, ']');
	}
}
