/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a provisioning that is interrupted by a restart, kept beside the agent's state. */
#include "verb/provision_state.h"

#include <errno.h>

#include "base/digest.h"
#include "base/log.h"
#include "data/json.h"
#include "data/jsonw.h"

#define STATE_MAX JSON_SIZE_MAX

/* The digest of all documents and their parameter values: another recipe's state is ignored. */
static void digest_of(const struct component_list *l, char ret[static SHA256_HEX])
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, 8 * STATE_MAX);

	for (size_t i = 0; i < l->n; i++) {
		doc_json(l->items[i].at, &text);
		for (size_t k = 0; k < l->items[i].names.n; k++)
			strbuf_json(&text, l->items[i].names.items[k].value);
	}
	digest_hex(text.data, text.len, ret);
}

static const char *key_of(struct arena *a, size_t i, const struct component_step *s)
{
	return arena_printf(a, "%zu.%s.%s", i, component_phase_name(s->phase), s->name);
}

static void write_outputs(const struct component_step *s, const char *key, struct jsonw *w)
{
	jsonw_begin(w, key, '[');
	for (size_t i = 0; i < s->outs.n; i++)
		jsonw_str(w, NULL, s->outs.items[i]);
	jsonw_end(w, ']');
}

static void write_done(const struct component_list *l, struct arena *a, struct jsonw *w)
{
	char digest[SHA256_HEX];

	digest_of(l, digest);
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "documents", digest);
	jsonw_begin(w, "done", '{');
	for (struct component_walk at = {0}; component_next(l, PHASES_ALL, &at);)
		if (at.step->done)
			write_outputs(at.step, key_of(a, at.nth, at.step), w);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

int provision_state_save(struct host *h, const struct component_list *lists, size_t n,
                         struct err *e)
{
	static const struct host_owner root;
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, STATE_MAX);
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "recipes", '[');
	for (size_t i = 0; i < n; i++)
		write_done(&lists[i], a, &w);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	if (b.overflow)
		return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, EFBIG,
		               "the outputs of the components are too long to be kept over a "
		               "restart");
	return host_write_secret(h, PROVISION_STATE, (struct blob){b.data, b.len}, 0600, &root, e);
}

static const struct doc *done_of(const struct doc *state, size_t nth,
                                 const struct component_list *l)
{
	const struct doc *recipes = doc_get(state, "recipes");
	char digest[SHA256_HEX];

	if (!recipes || recipes->type != DOC_LIST || nth >= recipes->n)
		return NULL;
	digest_of(l, digest);
	return str_eq(doc_text(recipes->items[nth], "documents"), digest)
	               ? doc_get(recipes->items[nth], "done")
	               : NULL;
}

static void read_outputs(const struct doc *list, struct component_step *s, struct arena *a)
{
	s->outs = (struct field_strings){.n = list->n,
	                                 .items = arena_array(a, list->n, sizeof *s->outs.items)};
	for (size_t i = 0; i < list->n; i++)
		s->outs.items[i] =
		        arena_strdup(a, list->items[i]->text ? list->items[i]->text : "");
}

void provision_state_load(struct host *h, size_t nth, struct component_list *l)
{
	static const char name[] = PROVISION_STATE;
	scope_arena struct arena *a = arena_new();
	struct blob text;
	struct doc *d;
	struct err e;

	int r = host_lookup(h, name, &e);
	if (r == 0)
		return;
	if (r < 0 || host_read(h, name, STATE_MAX, a, &text, &e) < 0 ||
	    json_parse(name, text, a, &d, &e) < 0) {
		log_warning("beginning anew: %s", e.text);
		return;
	}
	const struct doc *done = done_of(d, nth, l);
	if (!done)
		return;
	for (struct component_walk w = {0}; component_next(l, PHASES_ALL, &w);) {
		const struct doc *outs = doc_get(done, key_of(a, w.nth, w.step));

		w.step->done = outs && outs->type == DOC_LIST;
		if (w.step->done)
			read_outputs(outs, w.step, w.component->names.arena);
	}
}

void provision_state_remove(struct host *h)
{
	struct err e;

	if (host_exists(h, PROVISION_STATE) && host_remove(h, PROVISION_STATE, &e) < 0)
		log_warning("%s", e.text);
}
