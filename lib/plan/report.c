/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of a run as text, for people and the journal. */
#include "plan/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "os/journal.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)
#define ID_WIDTH  48

const char *report_phase_name(enum report_phase p)
{
	static const char *const names[] = {
	        [REPORT_STARTING] = "starting", [REPORT_RUNNING] = "running",
	        [REPORT_READY] = "ready",       [REPORT_DEGRADED] = "degraded",
	        [REPORT_FAILED] = "failed",     [REPORT_PENDING] = "pending",
	};

	return (size_t)p < ARRAY_LEN(names) ? names[p] : "unknown";
}

void report_elapsed(uint64_t ns, struct strbuf *out)
{
	uint64_t s = ns / NS_PER_S;

	if (s == 0)
		strbuf_printf(out, "%" PRIu64 " ms", ns / NS_PER_MS);
	else if (s < 60)
		strbuf_printf(out, "%" PRIu64 ".%02" PRIu64 " s", s,
		              ns % NS_PER_S / (10 * NS_PER_MS));
	else
		strbuf_printf(out, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
}

static uint64_t elapsed_ns(const struct step_outcome *o)
{
	return o->end_ns > o->start_ns && o->start_ns ? o->end_ns - o->start_ns : 0;
}

static void detail(const struct step *s, const struct step_outcome *o, bool brief,
                   struct strbuf *out)
{
	const char *sep = "  ";

	if (o->err.kind != ERR_NONE) {
		strbuf_printf(out, "%s%s%s(%s)", sep, brief ? "" : o->err.text, brief ? "" : " ",
		              reason_row(o->err.reason)->name);
		sep = ", ";
	}
	if (o->changes_total) {
		strbuf_printf(out, "%s%zu change%s", sep, o->changes_total,
		              o->changes_total == 1 ? "" : "s");
		sep = ", ";
	}
	if (o->tries > 1) {
		strbuf_printf(out, "%s%u tries", sep, o->tries);
		sep = ", ";
	}
	if (s->policy.optional)
		strbuf_printf(out, "%soptional", sep);
}

static int table_width(const struct plan *p)
{
	size_t width = strlen("step");

	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->steps[i]->id) > width)
			width = strlen(p->steps[i]->id);
	return (int)(width < ID_WIDTH ? width : ID_WIDTH);
}

void report_table(const struct report *r, struct strbuf *out)
{
	static const struct step_outcome waiting;

	if (!r->plan)
		return;
	int width = table_width(r->plan);
	strbuf_printf(out, "%-*s  %-8s %10s\n", width, "step", "state", "elapsed");
	for (size_t i = 0; i < r->plan->n; i++) {
		const struct step_outcome *o = r->outcomes ? &r->outcomes[i] : &waiting;
		struct strbuf time = STRBUF(out->arena, 64);

		if (o->start_ns && o->end_ns)
			report_elapsed(elapsed_ns(o), &time);
		strbuf_printf(out, "%-*s  %-8s %10s", width, r->plan->steps[i]->id,
		              step_state_name(o->state), time.data ? time.data : "-");
		detail(r->plan->steps[i], o, r->brief, out);
		strbuf_char(out, '\n');
	}
}

/* The step a summary names: the first required one that failed, else the first one that failed. */
static size_t worst_step(const struct report *r)
{
	size_t worst = r->plan->n;

	for (size_t i = 0; i < r->plan->n; i++) {
		if (r->outcomes[i].state != STEP_FAILED)
			continue;
		if (!r->plan->steps[i]->policy.optional)
			return i;
		if (worst == r->plan->n)
			worst = i;
	}
	return worst;
}

static void counts(const struct report *r, struct strbuf *out)
{
	size_t n[STEP_STATES] = {0};
	const char *sep = ": ";

	for (size_t i = 0; i < r->plan->n; i++)
		n[r->outcomes[i].state]++;
	for (size_t s = 0; s < STEP_STATES; s++) {
		if (!n[s])
			continue;
		strbuf_printf(out, "%s%zu %s", sep, n[s], step_state_name((enum step_state)s));
		sep = ", ";
	}
}

static void step_cause(struct strbuf *out, const char *id, const struct err *e, bool brief)
{
	strbuf_printf(out, ": %s%s%s (%s)", id, brief ? "" : ": ", brief ? "" : e->text,
	              reason_row(e->reason)->name);
}

void report_summary(const struct report *r, struct strbuf *out)
{
	bool ended = r->phase >= REPORT_READY && r->end_ns > r->start_ns;
	const char *node = r->facts ? vars_get(r->facts, "node") : NULL;
	bool steps = r->plan && r->outcomes;
	size_t worst = steps ? worst_step(r) : 0;

	strbuf_printf(out, "%s: ", r->program);
	if (node)
		strbuf_printf(out, "%s ", node);
	strbuf_str(out, report_phase_name(r->phase));
	if (ended) {
		strbuf_str(out, r->phase == REPORT_READY ? " in " : " after ");
		report_elapsed(r->end_ns - r->start_ns, out);
	}
	if (r->err)
		strbuf_printf(out, ": %s (%s)", r->err->text, reason_row(r->err->reason)->name);
	else if (steps && worst < r->plan->n)
		step_cause(out, r->plan->steps[worst]->id, &r->outcomes[worst].err, r->brief);
	if (steps)
		counts(r, out);
	strbuf_char(out, '\n');
}

static enum log_level outcome_level(const struct step *s, const struct step_outcome *o)
{
	switch (o->state) {
	case STEP_FAILED:
	case STEP_BLOCKED:
		return s->policy.optional ? LOG_LEVEL_WARNING : LOG_LEVEL_ERR;
	case STEP_SKIPPED:
		return LOG_LEVEL_WARNING;
	case STEP_CHANGED:
		return LOG_LEVEL_NOTICE;
	case STEP_WAITING:
	case STEP_RUNNING:
	case STEP_OK:
	case STEP_PENDING:
		break;
	}
	return LOG_LEVEL_INFO;
}

void report_log(const struct plan *p, size_t step, const struct step_outcome *o)
{
	const struct step *s = p->steps[step];
	char usec[24];
	bool failed = o->err.kind != ERR_NONE;
	bool undone = o->state == STEP_FAILED || o->state == STEP_BLOCKED;
	const struct log_field fields[] = {
	        {"MESSAGE_ID", undone ? JOURNAL_ID_STEP_FAILED : JOURNAL_ID_STEP_FINISHED},
	        {"HPC_STEP", s->id},
	        {"HPC_KIND", s->kind->section},
	        {"HPC_STATE", step_state_name(o->state)},
	        {"HPC_ELAPSED_USEC", usec},
	        {"HPC_REASON", reason_row(o->err.reason)->name},
	};

	snprintf(usec, sizeof usec, "%" PRIu64, elapsed_ns(o) / 1000);
	log_record(outcome_level(s, o), fields, ARRAY_LEN(fields) - !failed, "%s: %s%s%s", s->id,
	           step_state_name(o->state), failed ? ": " : "", o->err.text);
}
