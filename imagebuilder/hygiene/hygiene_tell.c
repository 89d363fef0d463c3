/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what was found: for people, as an error, and for the manifest. */
#include <errno.h>

#include "hygiene/hygiene_own.h"

static const char *remedy_of(const struct hygiene_finding *f)
{
	if (f->declared)
		return "cleaning would take what the recipe puts here: take it out of the recipe, "
		       "or say by `allow` why it may stay";
	if (f->rule->remedy)
		return f->rule->remedy;
	return f->cleaned ? "`build` and `provision --clean` remove it" : "remove it";
}

const char *hygiene_words(const struct hygiene_finding *f, struct arena *a)
{
	const char *space = f->detail ? " " : "", *detail = f->detail ? f->detail : "";

	if (f->allowed)
		return arena_printf(a, "%s: '%s'%s%s is allowed: %s", f->rule->name, f->path, space,
		                    detail, f->allowed->reason);
	return arena_printf(a, "%s: '%s'%s%s: %s; %s", f->rule->name, f->path, space, detail,
	                    f->rule->summary, remedy_of(f));
}

int hygiene_refuse(const struct hygiene_findings *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	if (f->n == 0)
		return 0;
	if (f->n == 1)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EPERM, "%s",
		               hygiene_words(&f->items[0], a));
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EPERM,
	               "%s%zu things that no image may have, each named above with what to do "
	               "about it",
	               f->more ? "at least " : "", f->n);
}

/* ---- as JSON ---- */

static void put(struct jsonw *w, const char *rule, const char *path, const char *key,
                const char *value)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "rule", rule);
	jsonw_str(w, "path", path);
	if (key)
		jsonw_str(w, key, value);
	jsonw_end(w, '}');
}

void hygiene_json(struct jsonw *w, const struct hygiene_report *r,
                  const struct hygiene_intent *intent, struct arena *a)
{
	const struct hygiene_allow **unused;
	const struct hygiene_findings *left = &r->left;

	jsonw_begin(w, "cleaned", '[');
	for (size_t i = 0; i < r->n_cleaned; i++)
		put(w, r->cleaned[i].rule->name, r->cleaned[i].path, NULL, NULL);
	jsonw_end(w, ']');
	jsonw_begin(w, "allowed", '[');
	for (size_t i = 0; i < left->n_allowed; i++)
		put(w, left->allowed[i].rule->name, left->allowed[i].path, "reason",
		    left->allowed[i].allowed->reason);
	jsonw_end(w, ']');
	if (!intent)
		return;
	size_t n = hygiene_unused(intent, left, a, &unused);
	jsonw_begin(w, "unused", '[');
	for (size_t i = 0; i < n; i++)
		put(w, unused[i]->rule, unused[i]->path, NULL, NULL);
	jsonw_end(w, ']');
	jsonw_begin(w, "refused", '[');
	for (size_t i = 0; i < left->n; i++)
		put(w, left->items[i].rule->name, left->items[i].path, "what",
		    hygiene_words(&left->items[i], a));
	jsonw_end(w, ']');
}
