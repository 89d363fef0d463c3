/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports on a run while it is in progress: status.json, events.jsonl, the journal, systemd and the
 * serial console.
 */
#pragma once

#include "agent/agent.h"
#include "plan/report.h"

struct progress {
	struct agent *agent;
	struct report report;
	struct step_outcome *outcomes; /* filled as results arrive, same index as
				        * the plan's steps */
	int events;                    /* filled as results arrive, same index as in the plan */
	bool status_stale;             /* status.json is out of date */
	uint64_t status_next;          /* earliest time to write it again */
	struct err unwritten;          /* why the last status couldn't be written */
	bool writes; /* false in plan and dry-run: nothing below /run is touched */
};

/* Phase STARTING: writes a fresh status.json and events.jsonl. */
void progress_begin(struct progress *p, struct agent *g, bool writes);
/* Called once the plan is known: its steps appear in the status. */
void progress_plan(struct progress *p);
/* The observer for struct run_options. */
struct run_observer progress_observer(struct progress *p);
/*
 * Ends the report: final status, one line for the journal and the console, READY=1 or ERRNO= for
 * systemd. `outside` is a failure that belongs to no step, `cause` the failure that decided the
 * outcome; either may be NULL. Returns the exit status, which differs from the given one if the
 * status couldn't be written.
 */
int progress_end(struct progress *p, enum report_phase phase, int exit_status,
                 const struct err *outside, const struct err *cause) ATTR_MUST_USE;
/* Turns a success that was already reported into a failure. Returns the exit status. */
int progress_amend(struct progress *p, const struct err *e) ATTR_MUST_USE;
