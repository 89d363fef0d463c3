/* SPDX-License-Identifier: Apache-2.0 */
/* Facts, and their substitution in scalars. */
#include "data/vars.h"

#define VARS_TEXT_MAX (1024 * 1024) /* bytes of one value with its facts put in */

#define SHOWN_MAX 64 /* bytes of the reader's own text in a message */

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789.-"

static struct var *vars_find(const struct vars *v, const char *name, size_t len)
{
	for (size_t i = 0; i < v->n; i++)
		if (strlen(v->items[i].name) == len && memcmp(v->items[i].name, name, len) == 0)
			return &v->items[i];
	return NULL;
}

void vars_set(struct vars *v, const char *name, const char *value, const char *source)
{
	struct var *var = vars_find(v, name, strlen(name));

	if (!var) {
		v->items = arena_grow(v->arena, v->items, &v->n, sizeof *v->items);
		var = &v->items[v->n - 1];
		var->name = arena_strdup(v->arena, name);
	}
	var->value = arena_strdup(v->arena, value);
	var->source = arena_strdup(v->arena, source);
}

void vars_unset(struct vars *v, const char *name)
{
	struct var *var = vars_find(v, name, strlen(name));

	if (var)
		*var = v->items[--v->n];
}

const char *vars_get(const struct vars *v, const char *name)
{
	const struct var *var = vars_find(v, name, strlen(name));

	return var ? var->value : NULL;
}

static int unknown_fact(const struct vars *v, const struct doc *scalar, struct arena *a,
                        const char *name, struct err *e)
{
	const char **names = arena_array(a, v->n, sizeof *names);
	const char *near;

	for (size_t i = 0; i < v->n; i++)
		names[i] = v->items[i].name;
	near = str_nearest(name, names, v->n);
	if (near)
		return doc_err(scalar, e, REASON_INPUT_FACT,
		               "unknown fact '${%s}', did you mean '${%s}'?", name, near);
	return doc_err(
	        scalar, e, REASON_INPUT_FACT,
	        "unknown fact '${%s}', expected one that is known here ('$$' is a dollar sign)",
	        name);
}

/* `p` is behind "${"; returns the text after the reference, or NULL. */
static const char *put_fact(const struct vars *v, const struct doc *scalar, struct arena *a,
                            const char *p, struct strbuf *out, struct err *e)
{
	size_t len = strspn(p, NAME_CHARS);
	const struct var *var;

	if (!len || p[len] != '}') {
		size_t end = strcspn(p, "\n} ");

		doc_err(scalar, e, REASON_INPUT_FACT,
		        "'${%.*s' is not a fact, expected ${name} ('$$' is a dollar sign)",
		        (int)(end < SHOWN_MAX ? end + (p[end] == '}') : SHOWN_MAX), p);
		return NULL;
	}
	var = vars_find(v, p, len);
	if (!var) {
		unknown_fact(v, scalar, a, arena_memdup(a, p, len), e);
		return NULL;
	}
	strbuf_str(out, var->value);
	return p + len + 1;
}

int vars_expand(const struct vars *v, const struct doc *scalar, struct arena *a, const char **ret,
                struct err *e)
{
	struct strbuf out = STRBUF(a, VARS_TEXT_MAX);
	const char *p = scalar->text;

	while (*p) {
		size_t plain = strcspn(p, "$");

		strbuf_add(&out, p, plain);
		p += plain;
		if (p[0] == '$' && p[1] == '{') {
			p = put_fact(v, scalar, a, p + 2, &out, e);
			if (!p)
				return -e->no;
		} else if (*p) {
			strbuf_char(&out, '$');
			p += p[1] == '$' ? 2 : 1;
		}
	}
	if (out.overflow)
		return doc_err(scalar, e, REASON_INPUT_LIMIT,
		               "the value with its facts is too long, expected at most %d bytes",
		               VARS_TEXT_MAX);
	*ret = out.data ? out.data : "";
	return 0;
}
