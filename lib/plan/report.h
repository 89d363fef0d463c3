/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of what happened: status.json (replaced atomically, 0644, no secrets), events.jsonl
 * (appended, one event a line), a table and a one-line summary for people. The formats are in
 * hpc-agent(8).
 */
#pragma once

#include "plan/run.h"

#define REPORT_SCHEMA 1

enum report_phase {
	REPORT_STARTING,
	REPORT_RUNNING,
	REPORT_READY,
	REPORT_DEGRADED,
	REPORT_FAILED,
	REPORT_PENDING, /* plan, dry run: the changes are known, and none was made */
};
const char *report_phase_name(enum report_phase p);

struct report {
	enum report_phase phase;
	const char *program, *version;
	const struct reason_hint *hints; /* the program's own, reason.h; or NULL */
	const struct vars *facts;        /* identity shown: instance-id, node, role, cluster */
	const struct plan *plan;         /* NULL before there is one */
	const struct step_outcome *outcomes;
	const struct err *err; /* a failure outside the steps, or NULL */
	int exit_status;
	uint64_t start_ns, end_ns;
	const char *boot_id;
	bool brief;     /* table and summary leave out what report_log() has said of a step */
	size_t n_notes; /* remarks on the configuration; in JSON only */
	const char *const *notes;
};

void report_json(const struct report *r, struct strbuf *out);    /* status.json */
void report_table(const struct report *r, struct strbuf *out);   /* for a terminal */
void report_summary(const struct report *r, struct strbuf *out); /* one line for the console */

/* One event line: {"t":ns,"event":"step-finished","step":"...","state":"...",...}\n. `p` NULL: an
 * event of the whole run; `o` NULL: nothing is known of the step yet. */
void report_event(struct strbuf *out, const char *event, const struct plan *p, size_t step,
                  const struct step_outcome *o);

/* One log record with MESSAGE_ID, HPC_STEP, HPC_KIND, HPC_STATE, HPC_ELAPSED_USEC, and HPC_REASON
 * where there is one; host/journal.h has the ids. */
void report_log(const struct plan *p, size_t step, const struct step_outcome *o);

/* "12 ms", "3.45 s", "4 min 05 s". */
void report_elapsed(uint64_t ns, struct strbuf *out);
