/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the world how a run goes, while it goes: status.json, events.jsonl, the journal, systemd
 * and the serial console.
 */
#pragma once

#include "agent/agent.h"
#include "plan/report.h"

struct progress {
	struct agent *agent;
	struct report report;
	struct step_outcome *outcomes; /* as they come in, same index as the plan's steps */
	int events;                    /* events.jsonl, or -1 */
	bool status_stale;             /* more is known than status.json says */
	uint64_t status_next;          /* not to be written again before */
	struct err unwritten;          /* why the last status couldn't be written */
	bool writes; /* false in plan and dry-run: nothing below /run is touched */
};

/* Phase STARTING: a fresh status.json and events.jsonl. */
void progress_begin(struct progress *p, struct agent *g, bool writes);
/* There is a plan now; its steps appear in the status. */
void progress_plan(struct progress *p);
/* For struct run_options. */
struct run_observer progress_observer(struct progress *p);
/*
 * The end: final status, one line for journal and console, READY=1 or ERRNO= for systemd. `outside`
 * is a failure that is no step's, `cause` the one that decided the outcome; either may be NULL.
 * Returns the exit status: another one than was given where the status couldn't be written.
 */
int progress_end(struct progress *p, enum report_phase phase, int exit_status,
                 const struct err *outside, const struct err *cause) ATTR_MUST_USE;
/* What was good ended badly after all. Returns the exit status. */
int progress_amend(struct progress *p, const struct err *e) ATTR_MUST_USE;
