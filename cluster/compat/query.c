/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates a JMESPath expression while it is read: each projection reads what is behind it once for each of its
 * elements. */
#include "compat/query.h"

#include <errno.h>

#include "base/arena.h"

#define DEPTH_MAX 64

struct query {
	const char *text, *at;
	struct arena *arena;
	struct err *err;
	unsigned depth;
	int failed; /* 0, or what the first fault returned */
};

static const struct doc *fault(struct query *q, const char *expected)
{
	if (!q->failed)
		q->failed = err_set(q->err, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		                    "--query '%.200s': expected %s at character %zu", q->text,
		                    expected, (size_t)(q->at - q->text) + 1);
	return NULL;
}

static void skip(struct query *q)
{
	q->at += strspn(q->at, " \t\r\n");
}

static bool take(struct query *q, const char *what)
{
	skip(q);
	if (!str_starts(q->at, what))
		return false;
	q->at += strlen(what);
	return true;
}

/* ---- names and texts ---- */

static const char *word(struct query *q)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char rest[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t n;

	skip(q);
	n = strspn(q->at, first) ? strspn(q->at, rest) : 0;
	if (!n)
		return NULL;
	q->at += n;
	return arena_memdup(q->arena, q->at - n, n);
}

/* Between quotes of that kind, which a backslash lets stand in it. */
static const char *quoted(struct query *q, char mark)
{
	char *out = arena_alloc(q->arena, strlen(q->at) + 1);
	size_t n = 0;

	for (q->at++; *q->at && *q->at != mark; q->at++) {
		if (q->at[0] == '\\' && q->at[1] == mark)
			q->at++;
		out[n++] = *q->at;
	}
	out[n] = '\0';
	if (*q->at != mark) {
		fault(q, "the end of the quotes");
		return NULL;
	}
	q->at++;
	return out;
}

static const char *name(struct query *q)
{
	skip(q);
	return *q->at == '"' ? quoted(q, '"') : word(q);
}

/* 'text', `"text"`, and of JSON's other literals true and false, which are text to a document. */
static const char *literal(struct query *q)
{
	const char *text;
	size_t len;

	skip(q);
	if (*q->at == '\'')
		return quoted(q, '\'');
	if (*q->at != '`') {
		fault(q, "a text in ' or `");
		return NULL;
	}
	text = quoted(q, '`');
	len = text ? strlen(text) : 0;
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
		return arena_memdup(q->arena, text + 1, len - 2);
	return text;
}

/* ---- brackets ---- */

static const struct doc *chain(struct query *q, const struct doc *v);
static const struct doc *head(struct query *q, const struct doc *v);

/* The rest for each element. Nothing is found for what isn't a list, but the rest is read all the same. */
static const struct doc *project(struct query *q, const struct doc *list)
{
	const char *begin = q->at;
	struct doc *out = doc_new_list(q->arena, NULL);

	if (!list || list->type != DOC_LIST || !list->n) {
		(void)chain(q, NULL);
		return list && list->type == DOC_LIST ? out : NULL;
	}
	for (size_t i = 0; i < list->n && !q->failed; i++) {
		q->at = begin;
		const struct doc *found = chain(q, list->items[i]);

		if (found && found->type != DOC_NULL)
			doc_push(q->arena, out, (struct doc *)(uintptr_t)found);
	}
	return out;
}

static const struct doc *flat(struct query *q, const struct doc *list)
{
	struct doc *out = doc_new_list(q->arena, NULL);

	if (!list || list->type != DOC_LIST)
		return NULL;
	for (size_t i = 0; i < list->n; i++) {
		const struct doc *at = list->items[i];

		if (at->type != DOC_LIST)
			doc_push(q->arena, out, list->items[i]);
		for (size_t k = 0; at->type == DOC_LIST && k < at->n; k++)
			doc_push(q->arena, out, at->items[k]);
	}
	return out;
}

/* [?path == 'text'] */
static const struct doc *filter(struct query *q, const struct doc *list)
{
	const char *begin = q->at;
	struct doc *out = doc_new_list(q->arena, NULL);
	bool is_list = list && list->type == DOC_LIST;

	for (size_t i = 0; !q->failed && i < (is_list && list->n ? list->n : 1); i++) {
		q->at = begin;
		const struct doc *item = is_list && list->n ? list->items[i] : NULL;
		const struct doc *found = chain(q, head(q, item));
		bool same = take(q, "==");
		const char *text;

		if (!same && !take(q, "!="))
			return fault(q, "== or !=");
		text = literal(q);
		if (!take(q, "]"))
			return fault(q, "]");
		if (is_list && list->n &&
		    same == (found && found->type == DOC_SCALAR && str_eq(found->text, text)))
			doc_push(q->arena, out, list->items[i]);
	}
	return is_list ? out : NULL;
}

static const struct doc *element(struct query *q, const struct doc *list)
{
	bool from_end = take(q, "-");
	size_t n = strspn(q->at, "0123456789");
	uint64_t i;

	if (!n || n > 9)
		return fault(q, "a number, *, ? or ]");
	if (str_u64(arena_memdup(q->arena, q->at, n), 0, UINT32_MAX, &i) < 0)
		return fault(q, "a number");
	q->at += n;
	if (!take(q, "]"))
		return fault(q, "]");
	if (!list || list->type != DOC_LIST || (from_end ? !i || i > list->n : i >= list->n))
		return NULL;
	return list->items[from_end ? list->n - i : i];
}

/* ---- a chain of them ---- */

/* Until its end, or what it can't be about. */
static const struct doc *links(struct query *q, const struct doc *v)
{
	while (!q->failed) {
		if (take(q, "[?"))
			return project(q, filter(q, v));
		if (take(q, "[*]"))
			return project(q, v);
		if (take(q, "[]"))
			return project(q, flat(q, v));
		if (take(q, "[")) {
			v = element(q, v);
		} else if (take(q, ".")) {
			const char *key = name(q);

			if (!key)
				return fault(q, "a name");
			v = doc_get(v, key);
		} else {
			return v;
		}
	}
	return NULL;
}

static const struct doc *chain(struct query *q, const struct doc *v)
{
	const struct doc *found;

	if (++q->depth > DEPTH_MAX)
		return fault(q, "fewer projections");
	found = links(q, v);
	q->depth--;
	return found;
}

static const struct doc *head(struct query *q, const struct doc *v)
{
	const char *key;

	skip(q);
	if (take(q, "@"))
		return v;
	if (*q->at == '[')
		return v;
	key = name(q);
	return key ? doc_get(v, key) : fault(q, "a name");
}

int query_search(const char *expression, const struct doc *d, struct arena *a,
                 const struct doc **ret, struct err *e)
{
	struct query q = {.text = expression, .at = expression, .arena = a, .err = e};

	do
		d = chain(&q, head(&q, d));
	while (!q.failed && take(&q, "|"));
	skip(&q);
	if (!q.failed && *q.at)
		fault(&q, "its end");
	if (q.failed)
		return q.failed;
	*ret = d;
	return 0;
}
