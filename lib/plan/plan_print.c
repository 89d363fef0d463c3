/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as text and as JSON. */
#include <string.h>

#include "data/jsonw.h"
#include "plan/plan.h"

#define ID_WIDTH_MAX 40

static int id_width(const struct plan *p)
{
	size_t width = 0;

	for (size_t i = 0; i < p->n; i++) {
		size_t len = strlen(p->steps[i]->id);

		if (len > width)
			width = len;
	}
	return (int)(width < ID_WIDTH_MAX ? width : ID_WIDTH_MAX);
}

void plan_print_after(const struct plan *p, size_t i, struct strbuf *out)
{
	const struct plan_edges *edges = &p->edges[i];

	for (size_t k = 0; k < edges->n; k++)
		strbuf_printf(out, "%s%s", k ? ", " : "  after ",
		              p->steps[edges->items[k].before]->id);
}

void plan_print(const struct plan *p, struct strbuf *out)
{
	int width = id_width(p);

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_edges *edges = &p->edges[i];

		strbuf_printf(out, "%3zu %-*s", i + 1, edges->n ? width : 0, p->steps[i]->id);
		plan_print_after(p, i, out);
		strbuf_char(out, '\n');
	}
}

static void names(struct jsonw *w, const char *key, const struct field_strings *list)
{
	jsonw_begin(w, key, '[');
	for (size_t i = 0; i < list->n; i++)
		jsonw_str(w, NULL, list->items[i]);
	jsonw_end(w, ']');
}

void plan_json_step(const struct plan *p, size_t i, struct jsonw *w)
{
	const struct step *s = p->steps[i];

	jsonw_str(w, "kind", s->kind->section);
	names(w, "provides", &s->provides);
	names(w, "needs", &s->needs);
	jsonw_begin(w, "after", '[');
	for (size_t k = 0; k < p->edges[i].n; k++)
		jsonw_str(w, NULL, p->steps[p->edges[i].items[k].before]->id);
	jsonw_end(w, ']');
	jsonw_u64(w, "timeout_ms", s->policy.timeout_ms);
	jsonw_u64(w, "retries", (uint64_t)s->policy.retries);
	jsonw_bool(w, "optional", s->policy.optional);
}
