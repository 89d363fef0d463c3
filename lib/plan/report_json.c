/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of a run as JSON: status.json and events.jsonl. */
#include "base/clock.h"
#include "data/jsonw.h"
#include "plan/report.h"

/* The identity facts that are shown: status.json is world-readable. */
static const char *const identity[] = {
        "instance-id", "instance-type", "availability-zone", "cluster", "role", "node", "head",
};

static void error(struct jsonw *w, const struct report *r, const struct err *e)
{
	if (!e || e->kind == ERR_NONE) {
		jsonw_str(w, "error", NULL);
		return;
	}
	jsonw_begin(w, "error", '{');
	jsonw_str(w, "kind", err_kind_name(e->kind));
	jsonw_str(w, "reason", reason_row(e->reason)->name);
	jsonw_str(w, "text", e->text);
	jsonw_str(w, "hint", reason_hint(r->hints, e->reason));
	jsonw_end(w, '}');
}

static void time_or_null(struct jsonw *w, const char *key, uint64_t ns)
{
	if (ns)
		jsonw_u64(w, key, ns);
	else
		jsonw_str(w, key, NULL);
}

static void details(struct jsonw *w, const struct step_outcome *o)
{
	jsonw_begin(w, "details", '[');
	for (size_t k = 0; k < o->n_details; k++) {
		jsonw_begin(w, NULL, '{');
		jsonw_u64(w, "change", o->details[k].change);
		jsonw_str(w, "line", o->details[k].line);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void one_step(struct jsonw *w, const struct report *r, size_t i)
{
	static const struct step_outcome waiting;
	const struct plan *p = r->plan;
	const struct step_outcome *o = r->outcomes ? &r->outcomes[i] : &waiting;
	const struct step *s = p->steps[i];

	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "id", s->id);
	jsonw_str(w, "kind", s->kind->section);
	jsonw_str(w, "state", step_state_name(o->state));
	jsonw_bool(w, "optional", s->policy.optional);
	time_or_null(w, "start_ns", o->start_ns);
	time_or_null(w, "end_ns", o->end_ns);
	jsonw_u64(w, "tries", o->tries);
	jsonw_begin(w, "after", '[');
	for (size_t k = 0; k < p->edges[i].n; k++)
		jsonw_str(w, NULL, p->steps[p->edges[i].items[k].before]->id);
	jsonw_end(w, ']');
	jsonw_u64(w, "changes_total", o->changes_total);
	jsonw_begin(w, "changes", '[');
	for (size_t k = 0; k < o->changes.n; k++)
		jsonw_str(w, NULL, o->changes.items[k]);
	jsonw_end(w, ']');
	if (o->n_details)
		details(w, o);
	error(w, r, &o->err);
	jsonw_end(w, '}');
}

static void facts(struct jsonw *w, const struct vars *v)
{
	jsonw_begin(w, "facts", '{');
	for (size_t i = 0; v && i < ARRAY_LEN(identity); i++) {
		const char *value = vars_get(v, identity[i]);

		if (value)
			jsonw_str(w, identity[i], value);
	}
	jsonw_end(w, '}');
}

static void counts(struct jsonw *w, const struct report *r)
{
	size_t n[STEP_STATES] = {0};

	for (size_t i = 0; r->plan && i < r->plan->n; i++)
		n[r->outcomes ? r->outcomes[i].state : STEP_WAITING]++;
	jsonw_begin(w, "counts", '{');
	for (size_t s = 0; s < STEP_STATES; s++)
		jsonw_u64(w, step_state_name((enum step_state)s), n[s]);
	jsonw_end(w, '}');
}

void report_json(const struct report *r, struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", REPORT_SCHEMA);
	jsonw_str(&w, "program", r->program);
	jsonw_str(&w, "version", r->version);
	jsonw_str(&w, "phase", report_phase_name(r->phase));
	jsonw_str(&w, "boot_id", r->boot_id);
	facts(&w, r->facts);
	time_or_null(&w, "start_ns", r->start_ns);
	time_or_null(&w, "end_ns", r->end_ns);
	if (r->phase >= REPORT_READY)
		jsonw_u64(&w, "exit_status", (uint64_t)r->exit_status);
	else
		jsonw_str(&w, "exit_status", NULL);
	error(&w, r, r->err);
	counts(&w, r);
	jsonw_begin(&w, "notes", '[');
	for (size_t i = 0; i < r->n_notes; i++)
		jsonw_str(&w, NULL, r->notes[i]);
	jsonw_end(&w, ']');
	jsonw_begin(&w, "steps", '[');
	for (size_t i = 0; r->plan && i < r->plan->n; i++)
		one_step(&w, r, i);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	strbuf_char(out, '\n');
}

void report_event(struct strbuf *out, const char *event, const struct plan *p, size_t step,
                  const struct step_outcome *o)
{
	struct jsonw w = {.out = out};
	uint64_t at = o ? o->end_ns ? o->end_ns : o->start_ns : 0;

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "t", at ? at : clock_now());
	jsonw_str(&w, "event", event);
	if (p) {
		jsonw_str(&w, "step", p->steps[step]->id);
		jsonw_str(&w, "kind", p->steps[step]->kind->section);
	}
	if (p && o) {
		jsonw_str(&w, "state", step_state_name(o->state));
		if (o->end_ns && o->start_ns)
			jsonw_u64(&w, "elapsed_ns", o->end_ns - o->start_ns);
		if (o->tries)
			jsonw_u64(&w, "tries", o->tries);
		if (o->changes_total)
			jsonw_u64(&w, "changes", o->changes_total);
		if (o->err.kind != ERR_NONE) {
			jsonw_str(&w, "reason", reason_row(o->err.reason)->name);
			jsonw_str(&w, "text", o->err.text);
		}
	}
	jsonw_end(&w, '}');
	strbuf_char(out, '\n');
}
