/* SPDX-License-Identifier: Apache-2.0 */
/* Converts structs to bytes and back, with one description for both directions. */
#include "sandbox/parcel.h"

#define DEPTH_MAX 256 /* of a document; parsers stop before it */

void parcel_begin(struct parcel *p, struct arena *a)
{
	*p = (struct parcel){.arena = a, .out = STRBUF(a, PARCEL_MAX)};
}

void parcel_open(struct parcel *p, struct blob in, struct arena *a)
{
	*p = (struct parcel){.arena = a, .receives = true, .in = in};
}

/* The next `len` bytes of what was sent, or NULL. */
static const char *take(struct parcel *p, size_t len)
{
	const char *at = p->in.data;

	if (p->broken || len > p->in.len) {
		p->broken = true;
		return NULL;
	}
	p->in.data += len;
	p->in.len -= len;
	return at;
}

static void bytes(struct parcel *p, void *v, size_t len)
{
	const char *from;

	if (!p->receives) {
		strbuf_add(&p->out, v, len);
		p->broken = p->broken || p->out.overflow;
		return;
	}
	from = take(p, len);
	if (from)
		memcpy(v, from, len);
	else
		memset(v, 0, len);
}

void parcel_u64(struct parcel *p, uint64_t *v)
{
	bytes(p, v, sizeof *v);
}

void parcel_size(struct parcel *p, size_t *v)
{
	uint64_t n = *v;

	parcel_u64(p, &n);
	*v = (size_t)n;
}

void parcel_bool(struct parcel *p, bool *v)
{
	uint64_t n = *v;

	parcel_u64(p, &n);
	*v = n != 0;
}

/* The number of elements that follow; each takes at least a byte, so a wrong count can't make us
 * allocate too much. */
static size_t count(struct parcel *p, size_t n)
{
	parcel_size(p, &n);
	if (p->receives && n > p->in.len)
		p->broken = true;
	return p->broken ? 0 : n;
}

void parcel_text(struct parcel *p, const char **v)
{
	bool there = *v != NULL;

	parcel_bool(p, &there);
	if (!there) {
		*v = NULL;
		return;
	}
	size_t len = count(p, p->receives ? 0 : strlen(*v));
	if (!p->receives) {
		bytes(p, (void *)(uintptr_t)*v, len);
		return;
	}
	const char *from = take(p, len);
	*v = arena_memdup(p->arena, from ? from : "", from ? len : 0);
}

void *parcel_array(struct parcel *p, void *items, size_t n, size_t size)
{
	return p->receives ? arena_array(p->arena, n + 1, size) : items;
}

void parcel_texts(struct parcel *p, struct field_strings *v)
{
	v->n = count(p, v->n);
	v->items = parcel_array(p, v->items, v->n, sizeof *v->items);
	for (size_t i = 0; i < v->n; i++)
		parcel_text(p, &v->items[i]);
}

void parcel_list(struct parcel *p, const char *const **v)
{
	struct field_strings l = {0};
	bool there = *v != NULL;

	parcel_bool(p, &there);
	for (; !p->receives && there && (*v)[l.n]; l.n++)
		;
	l.items = (const char **)(uintptr_t)*v;
	if (there)
		parcel_texts(p, &l);
	*v = there ? l.items : NULL;
}

void parcel_vars(struct parcel *p, struct vars *v)
{
	v->n = count(p, v->n);
	v->items = parcel_array(p, v->items, v->n, sizeof *v->items);
	v->arena = p->receives ? p->arena : v->arena;
	for (size_t i = 0; i < v->n; i++) {
		parcel_text(p, &v->items[i].name);
		parcel_text(p, &v->items[i].value);
		parcel_text(p, &v->items[i].source);
	}
}

/* ---- documents ---- */

static void number(struct parcel *p, unsigned *v)
{
	uint64_t n = *v;

	parcel_u64(p, &n);
	*v = (unsigned)n;
}

/* All nodes of a text share one file name: it is only sent when it changes. */
static void file_name(struct parcel *p, const char **v, const char *above)
{
	bool same = *v == above;

	parcel_bool(p, &same);
	if (same)
		*v = above;
	else
		parcel_text(p, v);
}

static void node(struct parcel *p, struct doc *d, const char *above, unsigned depth);

static void children(struct parcel *p, struct doc ***items, size_t n, const char *above,
                     unsigned depth)
{
	*items = parcel_array(p, *items, n, sizeof **items);
	for (size_t i = 0; i < n; i++) {
		if (p->receives)
			(*items)[i] = arena_alloc(p->arena, sizeof ***items);
		node(p, (*items)[i], above, depth + 1);
	}
}

static void node(struct parcel *p, struct doc *d, const char *above, unsigned depth)
{
	unsigned type = d->type;

	if (depth == DEPTH_MAX || p->broken) {
		p->broken = true;
		return;
	}
	number(p, &type);
	d->type = type <= DOC_MAP ? (enum doc_type)type : DOC_NULL;
	parcel_bool(p, &d->quoted);
	parcel_bool(p, &d->foreign);
	number(p, &d->line);
	number(p, &d->col);
	file_name(p, &d->file, above);
	parcel_text(p, &d->text);
	d->n = count(p, d->n);
	if (d->type == DOC_LIST || d->type == DOC_MAP)
		children(p, &d->items, d->n, d->file, depth);
	if (d->type == DOC_MAP)
		children(p, &d->keys, d->n, d->file, depth);
}

void parcel_doc(struct parcel *p, const struct doc **v)
{
	bool there = *v != NULL;
	struct doc *d;

	parcel_bool(p, &there);
	if (!there) {
		*v = NULL;
		return;
	}
	d = p->receives ? arena_alloc(p->arena, sizeof *d) : (struct doc *)(uintptr_t)*v;
	node(p, d, NULL, 0);
	*v = d;
}
