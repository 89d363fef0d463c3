/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the downloads of components, so that a build can fetch them beforehand. */
#include "component/component_fetch.h"

#include <ctype.h>

#include "base/digest.h"
#include "component/component_own.h"

/* The text at that key with all references expanded; NULL: there is none. */
static int known_text(const struct component_round *round, const struct doc *input, const char *key,
                      const char **ret, struct err *e)
{
	const struct doc *d = doc_get(input, key);
	struct component_round known = *round;
	struct doc *expanded;
	bool unknown = false;

	*ret = NULL;
	if (!d)
		return 0;
	known.unknown = &unknown;
	int r = component_expand(&known, d, &expanded, e);
	if (r < 0)
		return r;
	if (unknown)
		return doc_err(d, e, REASON_INPUT_UNSUPPORTED,
		               "'%s' of a download is known only when a step before has run, and a "
		               "build fetches before: expected text, constants and parameters",
		               key);
	*ret = expanded->text;
	return 0;
}

static const char *lower_case(struct arena *a, const char *hex)
{
	char *out = arena_strdup(a, hex);

	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

struct component_fetch *component_fetches_find(const struct component_fetches *l, const char *uri)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->items[i].uri, uri))
			return &l->items[i];
	return NULL;
}

int component_fetches_add(struct component_fetches *l, const char *uri, const char *sum,
                          const struct doc *at, struct arena *a, struct err *e)
{
	struct component_fetch *f = component_fetches_find(l, uri);

	sum = sum ? lower_case(a, sum) : NULL;
	if (f) {
		if (sum && f->sha256 && !str_eq(sum, f->sha256))
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' has another checksum in %s:%u", uri, f->at->file,
			               f->at->line);
		f->sha256 = f->sha256 ? f->sha256 : sum;
		return 0;
	}
	l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] =
	        (struct component_fetch){.uri = uri, .sha256 = sum, .at = at, .fd = -1};
	return 0;
}

static int add_fetch(const struct component_round *round, const struct doc *input,
                     struct component_fetches *l, struct err *e)
{
	const struct doc *at = doc_get(input, "source");
	const char *uri, *sum, *algorithm, *owner;
	int r = known_text(round, input, "source", &uri, e);

	if (r < 0)
		return r;
	r = known_text(round, input, "checksum", &sum, e);
	if (r < 0)
		return r;
	r = known_text(round, input, "algorithm", &algorithm, e);
	if (r < 0)
		return r;
	r = known_text(round, input, "expectedBucketOwner", &owner, e);
	if (r < 0)
		return r;
	/* Only by SHA-256 files are known; the others are checked when the step has the file. */
	if (algorithm && digest_kind(algorithm) != DIGEST_SHA256)
		sum = NULL;
	r = component_fetches_add(l, uri, sum, at, round->arena, e);
	if (r < 0)
		return r;
	struct component_fetch *added = component_fetches_find(l, uri);
	added->plain = true;
	added->owner = owner ? owner : added->owner;
	return 0;
}

static int add_round(const struct component_round *round, struct component_fetches *l,
                     struct err *e)
{
	const struct doc *d = round->step->inputs;
	struct doc *inputs;
	int r = component_expand(round, d, &inputs, e);

	if (r < 0)
		return r;
	/* When the document was read only the first round was checked. */
	r = component_action_each(round, inputs, false, e);
	if (r < 0)
		return r;
	if (d->type == DOC_MAP)
		return add_fetch(round, d, l, e);
	for (size_t i = 0; i < d->n; i++) {
		r = add_fetch(round, d->items[i], l, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int component_fetches(const struct component_list *l, unsigned phases, struct arena *a,
                      struct component_fetches *ret, struct err *e)
{
	struct component_fetches all = *ret;

	for (struct component_walk w = {0}; component_next(l, phases, &w);) {
		if (!w.step->action->fetches)
			continue;
		for (size_t i = 0; w.step->inputs && i < component_rounds(w.step); i++) {
			const struct component_round round =
			        component_round(w.component, w.step, i, NULL, a);
			int r = add_round(&round, &all, e);

			if (r < 0)
				return r;
		}
	}
	*ret = all;
	return 0;
}
