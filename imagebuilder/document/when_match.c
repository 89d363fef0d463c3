/* SPDX-License-Identifier: Apache-2.0 */
/* Judges whether what stands under `match` holds for the image. */
#include "document/arch.h"
#include "document/distribution.h"
#include "document/when_own.h"

struct match {
	struct field_strings distribution, arch;
};

const struct field when_match_fields[] = {
        {"distribution", FIELD_STRINGS, FIELD_AT(struct match, distribution), .min = 1, .max = 32,
         .help = "any of these, as debian or debian:bookworm"},
        {"arch", FIELD_STRINGS, FIELD_AT(struct match, arch), .min = 1, .max = 8,
         .help = "any of x86_64 and arm64"},
        {0},
};

/* ---- one condition ---- */

typedef int check_fn(const struct doc *at, const char *name, struct err *e);
typedef bool is_fn(const char *image, const char *name);

struct condition {
	const char *key;
	const struct field_strings *names;
	const char *image; /* what the image is; NULL: nobody says */
	check_fn *check;
	is_fn *is;
};

static int check_names(const struct condition *c, const struct doc *value, struct err *e)
{
	for (size_t i = 0; i < c->names->n; i++) {
		int r = c->check(value->type == DOC_LIST ? value->items[i] : value,
		                 c->names->items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool holds(const struct condition *c)
{
	for (size_t i = 0; i < c->names->n; i++)
		if (c->is(c->image, c->names->items[i]))
			return true;
	return false;
}

static const char *why_not(const struct condition *c, struct arena *a)
{
	struct strbuf b = STRBUF(a, 4096);

	strbuf_str(&b, "it is for ");
	for (size_t i = 0; i < c->names->n; i++)
		strbuf_printf(&b, "%s%s", i ? " or " : "", c->names->items[i]);
	strbuf_printf(&b, ", and the image is %s", c->image);
	return b.data;
}

/* *ret_why: NULL if it holds. */
static int judge(const struct condition *c, const struct doc *match, struct arena *a,
                 const char **ret_why, struct err *e)
{
	const struct doc *value = doc_get(match, c->key);

	*ret_why = NULL;
	if (!value)
		return 0;
	int r = check_names(c, value, e);
	if (r < 0)
		return r;
	if (!c->image)
		return doc_err(value, e, REASON_INPUT_REQUIRED,
		               "which distribution the image is of is not known here: expected "
		               "image.from or image.distribution to say it");
	if (!holds(c))
		*ret_why = why_not(c, a);
	return 0;
}

/* ---- all of them ---- */

int when_judge(const struct when *w, const struct doc *match, struct arena *a, const char **ret_why,
               struct err *e)
{
	struct match m = {0};
	int r = field_decode_all(match, when_match_fields, NULL, w->faults, a, &m, e);

	if (r < 0)
		return r;
	if (!m.distribution.n && !m.arch.n)
		return doc_err(match, e, REASON_INPUT_REQUIRED,
		               "'match' is empty: expected distribution or arch");
	const struct condition conditions[] = {
	        {"distribution", &m.distribution, w->distribution, distribution_check_name,
	         distribution_is},
	        {"arch", &m.arch, w->arch, arch_check_name, arch_is},
	};
	*ret_why = NULL;
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		const char *why;

		r = judge(&conditions[i], match, a, &why, e);
		if (r < 0)
			return r;
		if (!*ret_why)
			*ret_why = why;
	}
	return 0;
}

struct doc *when_without(const struct doc *map, const char *key, struct arena *a)
{
	struct doc *rest = doc_new_map(a, map);

	for (size_t i = 0; i < map->n; i++)
		if (!str_eq(map->keys[i]->text, key))
			doc_append(a, rest, map->keys[i], map->items[i]);
	return rest;
}

void when_leave_out(struct when *w, const struct when_left *one, struct arena *a)
{
	w->left = arena_grow(a, w->left, &w->n, sizeof *w->left);
	w->left[w->n - 1] = *one;
}
