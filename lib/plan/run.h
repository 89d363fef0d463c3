/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a plan.
 *
 * Each step runs in a forked child with a deadline; up to `width` independent steps run at once.
 * The child probes; if the step doesn't hold it applies and probes again, and "applied but does not
 * hold" is a failure. A child whose step changed nothing takes the next one, any other child ends
 * with its step. The calling process is never blocked by a step and never touches the machine
 * itself. On a dry host one child takes all steps in turn, so that each finds what those before it
 * would have made.
 *
 * A step's deadline is its `timeout` counted from its start, or the run's deadline if that comes
 * first. By then the child ends what it runs (host.h) and reports. A child that hasn't done so
 * RUN_GRACE_MS later is killed with all its descendants; if it still exists RUN_LOST_MS after that,
 * it is abandoned and reported, and steps that don't need it don't wait for it. When the run is
 * stopped, what the children run gets SIGTERM, and RUN_GRACE_MS later they are killed.
 *
 * A step whose need failed is STEP_BLOCKED and names the step that failed first, whether or not
 * that one was optional: what it needs doesn't exist. `after` an optional step only sets the order:
 * its failure blocks nothing.
 */
#pragma once

#include "plan/plan.h"

#define RUN_WIDTH       8
#define RUN_WIDTH_MAX   64
#define RUN_GRACE_MS    4500 /* host.h takes up to 4 s to end a process */
#define RUN_LOST_MS     1500
#define RUN_CHANGES_MAX 64
#define RUN_DETAILS_MAX 256

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

/* A line about a change: how the content of a file would differ, for one. */
struct step_detail {
	size_t change; /* its index in `changes` */
	const char *line;
};

struct step_outcome {
	enum step_state state;
	struct err err;               /* STEP_FAILED, STEP_BLOCKED (names the step that failed) */
	uint64_t start_ns, end_ns;    /* CLOCK_BOOTTIME; 0: never began */
	unsigned tries;               /* rounds of probe and apply; 0: never began */
	struct field_strings changes; /* what the host recorded; the first RUN_CHANGES_MAX lines */
	size_t changes_total;         /* total number of changes */
	size_t n_details;             /* at most RUN_DETAILS_MAX */
	struct step_detail *details;  /* what a dry host tells of them, in their order */
};

struct run_observer {
	void *ctx;
	void (*started)(void *ctx, const struct plan *p, size_t step);
	/* Called once for each step, also for those that were blocked or skipped. */
	void (*finished)(void *ctx, const struct plan *p, size_t step,
	                 const struct step_outcome *o);
	/* Called every second and at each finish: the place to extend systemd's start timeout. */
	void (*tick)(void *ctx, size_t running, size_t done);
};

struct run_options {
	struct host *host;
	struct cloud *cloud;
	const struct vars *facts;
	uint64_t deadline; /* of the whole run; CLOCK_NEVER: none */
	unsigned width;    /* steps at once; 0: RUN_WIDTH, at most RUN_WIDTH_MAX */
	unsigned grace_ms; /* 0: RUN_GRACE_MS */
	/* plan, drift: nothing is applied nor tried again; what doesn't hold is STEP_PENDING */
	bool probe_only;
	/* > 0: the run stops when it is readable (a signalfd; not read here): children are ended,
	 * the rest skipped */
	int stop_fd;
	const struct run_observer *observer; /* NULL: none; any of its functions may be */
};

struct run_result {
	size_t n;
	struct step_outcome *outcomes; /* same index as the plan's steps; in the arena given */
	bool deadline_passed, interrupted;
	uint64_t start_ns, end_ns;
};

/* 0 if the run was completed, whether or not steps failed; <0 only if running itself failed. */
int plan_run(const struct plan *p, const struct run_options *o, struct arena *a,
             struct run_result *ret, struct err *e) ATTR_MUST_USE;

/*
 * The documented exit status: 7 when the run's deadline left a required step undone; else that of
 * the kind of the first required step that failed; 1 when a required one was skipped (interrupted);
 * 8 when only optional ones are undone; 10 when probe_only found something pending; else 0.
 */
int run_exit_status(const struct plan *p, const struct run_result *result, bool probe_only);
