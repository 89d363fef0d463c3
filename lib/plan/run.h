/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying a plan out.
 *
 * Each step runs in a forked child with a deadline; independent steps at once, at most `width`. The
 * child probes; if the thing doesn't hold it applies and probes again, and "applied but does not
 * hold" is a failure. A child past its deadline is killed; if it can't be killed it is abandoned
 * and reported, and nothing that doesn't need it waits. One absolute deadline ends the whole run.
 * The calling process is never blocked by a step and never touches the machine itself.
 */
#pragma once

#include "plan/plan.h"

#define RUN_WIDTH       8
#define RUN_GRACE_MS    2500
#define RUN_CHANGES_MAX 64

enum step_state {
	STEP_WAITING,
	STEP_RUNNING,
	STEP_OK,      /* already held */
	STEP_CHANGED, /* applied and holds */
	STEP_FAILED,
	STEP_BLOCKED, /* a step it needs failed */
	STEP_SKIPPED, /* the run ended before it began */
	STEP_PENDING, /* probe_only or a dry host: does not hold, would be applied */
};
#define STEP_STATES (STEP_PENDING + 1)
const char *step_state_name(enum step_state s); /* "ok", "changed", ... */

struct step_outcome {
	enum step_state state;
	struct err err;               /* STEP_FAILED, STEP_BLOCKED (names the step that failed) */
	uint64_t start_ns, end_ns;    /* CLOCK_BOOTTIME; 0: never began */
	unsigned tries;               /* rounds of probe and apply; 0: never began */
	struct field_strings changes; /* what the host recorded; the first RUN_CHANGES_MAX lines */
	size_t changes_total;         /* how many there were */
};

struct run_observer {
	void *ctx;
	void (*started)(void *ctx, const struct plan *p, size_t step);
	void (*finished)(void *ctx, const struct plan *p, size_t step,
	                 const struct step_outcome *o);
	/* Every second while anything runs, and at each start and finish: extend systemd's patience
	 * here. */
	void (*tick)(void *ctx, size_t running, size_t done);
};

struct run_options {
	struct host *host;
	struct cloud *cloud;
	const struct vars *facts;
	uint64_t deadline; /* of the whole run; CLOCK_NEVER: none */
	unsigned width;    /* steps at once; 0: 8 */
	bool probe_only;   /* plan, drift: nothing is applied, what doesn't hold is STEP_PENDING */
	int stop_fd; /* > 0: readable means stop (a signalfd): children are ended, the rest skipped
	              */
	const struct run_observer *observer; /* NULL: none */
};

struct run_result {
	size_t n;
	struct step_outcome *outcomes; /* same index as the plan's steps; in the arena given */
	bool deadline_passed, interrupted;
	uint64_t start_ns, end_ns;
};

/* 0 when the run came to its end, whatever the steps' fate; <0 only when running itself failed. */
int plan_run(const struct plan *p, const struct run_options *o, struct arena *a,
             struct run_result *ret, struct err *e) ATTR_MUST_USE;

/*
 * The documented exit status: 7 when the run's deadline left a required step undone; else that of
 * the kind of the first required step that failed; 1 when a required one was skipped (interrupted);
 * 8 when only optional ones are undone; 10 when probe_only found something pending; else 0.
 */
int run_exit_status(const struct plan *p, const struct run_result *r, bool probe_only);
