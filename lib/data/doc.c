/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: lookups, construction, and errors with a place. */
#include "data/doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static size_t doc_index(const struct doc *d, const char *key, size_t len)
{
	for (size_t i = 0; i < d->n; i++)
		if (strlen(d->keys[i]->text) == len && memcmp(d->keys[i]->text, key, len) == 0)
			return i;
	return d->n;
}

static struct doc *doc_get_span(const struct doc *d, const char *key, size_t len)
{
	if (!d || d->type != DOC_MAP)
		return NULL;
	size_t i = doc_index(d, key, len);
	return i < d->n && d->items[i]->type != DOC_NULL ? d->items[i] : NULL;
}

struct doc *doc_get(const struct doc *d, const char *key)
{
	return doc_get_span(d, key, strlen(key));
}

bool doc_has(const struct doc *d, const char *key)
{
	return d && d->type == DOC_MAP && doc_index(d, key, strlen(key)) < d->n;
}

struct doc *doc_find(const struct doc *d, const char *dotted)
{
	for (;;) {
		size_t len = strcspn(dotted, ".");
		struct doc *child = doc_get_span(d, dotted, len);

		if (!child || !dotted[len])
			return child;
		d = child;
		dotted += len + 1;
	}
}

const char *doc_text(const struct doc *d, const char *key)
{
	const struct doc *value = doc_get(d, key);

	return value && value->type == DOC_SCALAR ? value->text : NULL;
}

struct doc *doc_new(struct arena *a, enum doc_type type, const struct doc *at)
{
	struct doc *d = arena_alloc(a, sizeof *d);

	d->type = type;
	d->text = "";
	if (at) {
		d->file = at->file;
		d->line = at->line;
		d->col = at->col;
		d->foreign = at->foreign;
	}
	return d;
}

/* Recursion is bounded by the parser's ceiling. */
void doc_mark_foreign(struct doc *d)
{
	d->foreign = true;
	for (size_t i = 0; i < d->n; i++) {
		doc_mark_foreign(d->items[i]);
		if (d->keys)
			d->keys[i]->foreign = true;
	}
}

struct doc *doc_new_map(struct arena *a, const struct doc *at)
{
	return doc_new(a, DOC_MAP, at);
}

struct doc *doc_new_list(struct arena *a, const struct doc *at)
{
	return doc_new(a, DOC_LIST, at);
}

struct doc *doc_new_text(struct arena *a, const struct doc *at, const char *text)
{
	struct doc *d = doc_new(a, DOC_SCALAR, at);

	d->text = arena_strdup(a, text);
	return d;
}

void doc_append(struct arena *a, struct doc *map, struct doc *key, struct doc *value)
{
	size_t n = map->n;

	map->keys = arena_grow(a, map->keys, &n, sizeof *map->keys);
	map->items = arena_grow(a, map->items, &map->n, sizeof *map->items);
	map->keys[n - 1] = key;
	map->items[n - 1] = value;
}

void doc_put(struct arena *a, struct doc *map, const char *key, struct doc *value)
{
	size_t i = doc_index(map, key, strlen(key));

	if (i < map->n)
		map->items[i] = value;
	else
		doc_append(a, map, doc_new_text(a, value, key), value);
}

void doc_put_text(struct arena *a, struct doc *map, const char *key, const char *text)
{
	doc_put(a, map, key, doc_new_text(a, map, text));
}

void doc_push(struct arena *a, struct doc *list, struct doc *value)
{
	list->items = arena_grow(a, list->items, &list->n, sizeof *list->items);
	list->items[list->n - 1] = value;
}

struct doc_key {
	const char *text;
	size_t index;
};

static int doc_key_order(const void *a, const void *b)
{
	const struct doc_key *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	return (x->index > y->index) - (x->index < y->index);
}

static const struct doc *repeated_key(const struct doc *map)
{
	scope_arena struct arena *a = arena_new();
	struct doc_key *keys = arena_array(a, map->n, sizeof *keys);
	size_t first = map->n;

	for (size_t i = 0; i < map->n; i++)
		keys[i] = (struct doc_key){map->keys[i]->text, i};
	qsort(keys, map->n, sizeof *keys, doc_key_order);
	for (size_t i = 1; i < map->n; i++)
		if (strcmp(keys[i].text, keys[i - 1].text) == 0 && keys[i].index < first)
			first = keys[i].index;
	return first < map->n ? map->keys[first] : NULL;
}

int doc_check_keys(const struct doc *map, struct err *e)
{
	const struct doc *again = repeated_key(map);
	size_t first;

	if (!again)
		return 0;
	first = doc_index(map, again->text, strlen(again->text));
	return doc_err(again, e, REASON_INPUT_DUPLICATE,
	               "duplicate key '%s', expected it once (first on line %u)", again->text,
	               map->keys[first]->line);
}

int doc_verr(const struct doc *at, struct err *e, enum reason reason, const char *fmt, va_list ap)
{
	char text[sizeof e->text];

	vsnprintf(text, sizeof text, fmt, ap);
	if (!at || !at->file)
		return err_set(e, ERR_INPUT, reason, EINVAL, "%s", text);
	if (!at->line)
		return err_set(e, ERR_INPUT, reason, EINVAL, "%s: %s", at->file, text);
	return err_set(e, ERR_INPUT, reason, EINVAL, "%s:%u:%u: %s", at->file, at->line, at->col,
	               text);
}

int doc_err(const struct doc *at, struct err *e, enum reason reason, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = doc_verr(at, e, reason, fmt, ap);
	va_end(ap);
	return r;
}

const char *doc_type_name(const struct doc *d)
{
	static const char *const names[] = {
	        [DOC_NULL] = "nothing",
	        [DOC_SCALAR] = "string",
	        [DOC_LIST] = "list",
	        [DOC_MAP] = "map",
	};

	return d ? names[d->type] : names[DOC_NULL];
}

const char *doc_beside(const struct doc *at, const char *path, struct arena *a)
{
	const char *slash = at->file ? strrchr(at->file, '/') : NULL;

	if (path[0] == '/' || !slash)
		return path;
	return arena_printf(a, "%.*s/%s", (int)(slash - at->file), at->file, path);
}
