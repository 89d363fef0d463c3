/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what the cleaning step found in an image. */
#include "build/cleaned.h"

#include <fcntl.h>

#include "base/file.h"
#include "build/chain.h"
#include "data/json.h"

#define RULES_SHOWN 1024 /* characters */

static const struct state {
	const char *name, *text; /* text of the line that sums them up; NULL: each has a line */
	const char *key;         /* of what is told about each, or NULL */
	bool wrong;              /* on standard error */
} states[] = {
        {"cleaned", "cleaned", NULL, false},
        {"allowed", "allowed by the recipe", "reason", false},
        {"unused", NULL, NULL, false},
        {"refused", NULL, "what", true},
};

static void event(struct progress *p, const struct state *state, const struct doc *one)
{
	struct jsonw *w = feed_begin(&p->feed, "hygiene");

	jsonw_str(w, "state", state->name);
	jsonw_str(w, "rule", doc_text(one, "rule"));
	jsonw_str(w, "path", doc_text(one, "path"));
	jsonw_str(w, "what", state->key ? doc_text(one, state->key) : NULL);
	feed_end(&p->feed);
}

/* "12 (machine-id, ssh-host-keys)": the rules, in whose order they come. */
static void sum_up(struct progress *p, const struct state *state, const struct doc *list)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf rules = STRBUF(a, RULES_SHOWN);
	const char *last = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const char *rule = doc_text(list->items[i], "rule");
		if (!rule || str_eq(rule, last))
			continue;
		strbuf_printf(&rules, "%s%s", last ? ", " : "", rule);
		last = rule;
	}
	feed_line(&p->feed, "        %s: %zu (%s)%s", state->text, list->n,
	          rules.data ? rules.data : "", p->verbose ? "" : "; --verbose lists them");
}

static void line(struct progress *p, const struct state *state, const struct doc *one)
{
	const char *rule = doc_text(one, "rule"), *path = doc_text(one, "path");
	const char *what = state->key ? doc_text(one, state->key) : NULL;

	if (state->wrong)
		fprintf(stderr, "  %s\n", what ? what : rule);
	else if (state->text)
		feed_line(&p->feed, "          %s: %s%s%s", rule, path, what ? ": " : "",
		          what ? what : "");
	else
		feed_line(&p->feed,
		          "        not needed: allow {rule: %s, path: %s}: no such thing "
		          "is in the image",
		          rule, path);
}

static void tell(struct progress *p, const struct state *state, const struct doc *list)
{
	/* A single one is the whole of the error that follows. */
	size_t least = state->wrong ? 2 : 1;

	if (!list || list->type != DOC_LIST || list->n < least)
		return;
	if (state->text && !p->feed.json)
		sum_up(p, state, list);
	for (size_t i = 0; i < list->n; i++) {
		if (p->feed.json)
			event(p, state, list->items[i]);
		if (state->wrong || (!p->feed.json && (!state->text || p->verbose)))
			line(p, state, list->items[i]);
	}
}

void cleaned_tell(struct progress *p, const char *dir)
{
	scope_arena struct arena *a = arena_new();
	const char *path = arena_printf(a, "%s/" CHAIN_REPORT, dir);
	struct blob text;
	struct doc *d;
	struct err none;

	if (file_read(AT_FDCWD, path, JSON_SIZE_MAX, a, &text, &none) < 0 ||
	    json_parse(path, text, a, &d, &none) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		tell(p, &states[i], doc_get(d, states[i].name));
}
