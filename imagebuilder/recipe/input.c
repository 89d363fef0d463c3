/* SPDX-License-Identifier: Apache-2.0 */
/* What a step's key is made of, as a list of names and digests, and what differs between two. */
#include "recipe/input.h"

#include <stdlib.h>

#include "base/digest.h"
#include "document/canon.h"

#define NAME_LONG 120         /* longest text that names an element */
#define VALUE_MAX (8UL << 20) /* same as chain.c's */

void input_add(struct input_list *l, struct arena *a, const char *name, const void *data,
               size_t len, const struct doc *at)
{
	char hex[SHA256_HEX];
	struct input *i;

	l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
	i = &l->items[l->n - 1];
	digest_hex(data, len, hex);
	memcpy(i->digest, hex, INPUT_DIGEST - 1);
	i->name = name;
	i->at = at;
}

static bool is_digest(const char *s, size_t len)
{
	return len >= 16 && strspn(s, "0123456789abcdef") >= len;
}

void input_add_lines(struct input_list *l, struct arena *a, const char *text)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		const char *last = memrchr(p, ' ', len);
		bool named = last && is_digest(last + 1, len - (size_t)(last + 1 - p));

		if (len)
			input_add(l, a, arena_memdup(a, p, named ? (size_t)(last - p) : len), p,
			          len, NULL);
		p += len + (p[len] == '\n');
	}
}

void input_add_doc(struct input_list *l, struct arena *a, const struct doc *d,
                   const struct vars *facts)
{
	for (size_t i = 0; i < d->n; i++) {
		struct strbuf value = STRBUF(a, VALUE_MAX);
		const struct doc *item = d->items[i];
		const char *name = arena_printf(a, "element %zu", i + 1);

		canon_write(item, facts, &value);
		if (d->type == DOC_MAP)
			name = arena_printf(a, "'%s'", d->keys[i]->text);
		else if (item->type == DOC_SCALAR && value.len < NAME_LONG)
			name = arena_printf(a, "'%s'", item->text);
		input_add(l, a, name, value.data, value.len, item);
	}
}

/* ---- comparing ---- */

static int by_name(const void *a, const void *b)
{
	const struct input *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : strcmp((*x)->digest, (*y)->digest);
}

static const struct input *const *sorted(const struct input_list *l, struct arena *a)
{
	const struct input **list = arena_array(a, l->n + 1, sizeof *list);

	for (size_t i = 0; i < l->n; i++)
		list[i] = &l->items[i];
	if (l->n)
		qsort(list, l->n, sizeof *list, by_name);
	return list;
}

/* How many at the beginning have that name; the list ends with NULL. */
static size_t run_of(const struct input *const *list, const char *name)
{
	size_t n = 0;

	while (list[n] && str_eq(list[n]->name, name))
		n++;
	return n;
}

static bool same(const struct input *const *x, const struct input *const *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(x[i]->digest, y[i]->digest))
			return false;
	return true;
}

void input_compare(const struct input_list *was, const struct input_list *now,
                   void (*differs)(void *ctx, enum input_change change, const struct input *i),
                   void *ctx)
{
	scope_arena struct arena *a = arena_new();
	const struct input *const *x = sorted(was, a), *const *y = sorted(now, a);

	while (*x || *y) {
		int order = !*x ? 1 : !*y ? -1 : strcmp((*x)->name, (*y)->name);
		const char *name = order < 0 ? (*x)->name : (*y)->name;
		size_t n_x = run_of(x, name), n_y = run_of(y, name);

		if (order < 0)
			differs(ctx, INPUT_REMOVED, *x);
		else if (order > 0)
			differs(ctx, INPUT_ADDED, *y);
		else if (n_x != n_y || !same(x, y, n_x))
			differs(ctx, INPUT_CHANGED, *y);
		x += n_x;
		y += n_y;
	}
}
