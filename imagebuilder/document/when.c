/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the parts of a recipe that are for this image. */
#include "document/when.h"

#include "document/join.h"
#include "document/when_own.h"

static int refuse_keys(const struct doc *part, struct err *e)
{
	static const char *const refused[] = {"image", "when"};

	for (size_t i = 0; i < part->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(refused); k++)
			if (str_eq(part->keys[i]->text, refused[k]))
				return doc_err(part->keys[i], e, REASON_INPUT_UNSUPPORTED,
				               "'%s' has no place in a part: expected match and "
				               "what else a recipe has",
				               refused[k]);
	return 0;
}

/* "packages, tests" */
static const char *sections_of(const struct doc *part, struct arena *a)
{
	struct strbuf b = STRBUF(a, 4096);

	for (size_t i = 0; i < part->n; i++)
		strbuf_printf(&b, "%s%s", i ? ", " : "", part->keys[i]->text);
	return b.data ? b.data : "";
}

static int leave_part_out(struct when *w, const struct doc *part, struct doc *rest, const char *why,
                          struct arena *a, struct err *e)
{
	const char *what = sections_of(rest, a);
	int r = when_entries(w, when_without(rest, "include", a), WHEN_KEEP, a, &rest, e);

	if (r < 0)
		return r;
	when_leave_out(w, &(struct when_left){part, rest, what, why}, a);
	return 0;
}

static int apply_part(struct when *w, const struct doc *part, struct arena *a, struct doc **text,
                      struct err *e)
{
	const struct doc *match = doc_get(part, "match");
	const char *why = NULL;

	if (part->type != DOC_MAP)
		return doc_err(part, e, REASON_INPUT_TYPE,
		               "a part of 'when' is a map with match, found a %s",
		               doc_type_name(part));
	if (!match)
		return doc_err(part, e, REASON_INPUT_REQUIRED,
		               "'match' is missing: expected match: {distribution: .., arch: ..}");
	int r = refuse_keys(part, e);
	if (r < 0)
		return r;
	r = when_judge(w, match, a, &why, e);
	if (r < 0)
		return r;
	struct doc *rest = when_without(part, "match", a);
	if (why)
		return leave_part_out(w, part, rest, why, a, e);
	r = when_entries(w, rest, WHEN_CHOOSE, a, &rest, e);
	return r < 0 ? r : join_maps(a, *text, rest, text, e);
}

static int apply_parts(struct when *w, const struct doc *parts, struct arena *a, struct doc **text,
                       struct err *e)
{
	int failed = 0;

	if (parts->type != DOC_LIST)
		return doc_err(parts, e, REASON_INPUT_TYPE,
		               "'when' is a %s: expected a list of parts, each with match",
		               doc_type_name(parts));
	if (parts->n > WHEN_PARTS_MAX)
		return doc_err(parts, e, REASON_INPUT_LIMIT,
		               "'when' has too many parts, expected at most %d", WHEN_PARTS_MAX);
	for (size_t i = 0; i < parts->n; i++) {
		int r = apply_part(w, parts->items[i], a, text, e);
		if (r < 0 && !faults_add(w->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

int when_apply(struct when *w, struct doc *text, struct arena *a, struct doc **ret, struct err *e)
{
	const struct doc *parts = doc_get(text, "when");
	struct doc *joined;
	int failed = when_entries(w, when_without(text, "when", a), WHEN_CHOOSE, a, &joined, e);

	if (failed < 0 && !faults_add(w->faults, e))
		return failed;
	int r = parts ? apply_parts(w, parts, a, &joined, e) : 0;
	*ret = joined;
	return r < 0 ? r : failed;
}

void when_forget(struct doc *text, struct arena *a, struct doc **ret)
{
	struct when nothing = {0};
	struct err none;

	/* Nothing is judged, so nothing fails. */
	if (when_entries(&nothing, text, WHEN_DROP, a, ret, &none) < 0)
		*ret = text;
}
