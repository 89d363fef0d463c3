/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a plan: selects the next step, what a failure blocks, and when the run ends. */
#include "plan/run.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "plan/run_own.h"

#define TICK_US UINT64_C(1000000)
/* A step that takes longer is worth another process beside it, and longer than some forks. */
#define RAMP_US     UINT64_C(2000)
#define RAMP_US_MAX UINT64_C(50000)
#define RAMP_FORKS  4

static void tick(const struct run *run)
{
	const struct run_observer *o = run->options->observer;

	if (o && o->tick)
		o->tick(o->ctx, run->running, run->done);
}

/* ---- a step ends ---- */

static void conclude(struct run *run, size_t step)
{
	const struct run_observer *o = run->options->observer;

	run->done++;
	if (o && o->finished)
		o->finished(o->ctx, run->plan, step, &run->result.outcomes[step]);
	tick(run);
}

static void block(struct run *run, size_t step, const struct plan_edge *edge)
{
	const struct step_outcome *before = &run->result.outcomes[edge->before];
	struct step_outcome *o = &run->result.outcomes[step];
	bool direct = before->state == STEP_FAILED;
	const char *id = run->plan->steps[edge->before]->id;
	const char *what = edge->need ? edge->need : "the end";

	run->root[step] = direct ? edge->before : run->root[edge->before];
	o->state = STEP_BLOCKED;
	/* The kind of the cause, for the exit status. */
	enum err_kind kind = run->result.outcomes[run->root[step]].err.kind;
	if (direct)
		err_set(&o->err, kind, REASON_STEP_BLOCKED, ECANCELED,
		        "waits for %s of '%s', which failed", what, id);
	else
		err_set(&o->err, kind, REASON_STEP_BLOCKED, ECANCELED,
		        "waits for %s of '%s', which is blocked by '%s'", what, id,
		        run->plan->steps[run->root[step]]->id);
	conclude(run, step);
}

static void skip_waiting(struct run *run)
{
	for (size_t i = 0; i < run->plan->n; i++) {
		if (run->result.outcomes[i].state != STEP_WAITING)
			continue;
		run->result.outcomes[i].state = STEP_SKIPPED;
		conclude(run, i);
	}
}

/* ---- a step starts ---- */

static void schedule(struct run *run);

enum readiness { NOT_YET, READY, NEVER };

static enum readiness edge_readiness(const struct run *run, const struct plan_edge *edge)
{
	switch (run->result.outcomes[edge->before].state) {
	case STEP_WAITING:
	case STEP_RUNNING:
		return NOT_YET;
	case STEP_OK:
	case STEP_CHANGED:
	case STEP_PENDING:
		return READY;
	case STEP_FAILED:
	case STEP_BLOCKED:
	case STEP_SKIPPED:
		break;
	}
	return !edge->need && run->plan->steps[edge->before]->policy.optional ? READY : NEVER;
}

/* A step is blocked as soon as one need can't be met any more, not when the last one is decided. */
static enum readiness step_readiness(const struct run *run, size_t step,
                                     const struct plan_edge **ret_edge)
{
	const struct plan_edges *edges = &run->plan->edges[step];
	enum readiness worst = READY;

	for (size_t i = 0; i < edges->n; i++) {
		enum readiness one = edge_readiness(run, &edges->items[i]);

		if (one == NEVER) {
			*ret_edge = &edges->items[i];
			return NEVER;
		}
		if (one == NOT_YET)
			worst = NOT_YET;
	}
	return worst;
}

static void fail_start(struct run *run, size_t step, int error)
{
	struct step_outcome *o = &run->result.outcomes[step];

	o->state = STEP_FAILED;
	err_set(&o->err, ERR_HOST, REASON_HOST_EXEC, error, "starting a process for '%s': %s",
	        run->plan->steps[step]->id, strerror(error));
	conclude(run, step);
}

static void start(struct run *run, size_t step)
{
	const struct run_observer *o = run->options->observer;
	int r = worker_start_step(run, step);

	/* If no process can be started, the end of a running step frees one. */
	if (r < 0 && run->running == 0)
		fail_start(run, step, -r);
	if (r < 0)
		return;
	run->running++;
	if (o && o->started)
		o->started(o->ctx, run->plan, step);
}

static uint64_t ramp_us(const struct run *run)
{
	uint64_t us = run->fork_ns / 1000 * RAMP_FORKS;

	if (us < RAMP_US)
		return RAMP_US;
	return us < RAMP_US_MAX ? us : RAMP_US_MAX;
}

/*
 * If everything already holds, one child goes through the plan faster than eight can be forked, so
 * another one is only added while the existing ones are busy for a while: a longer one on a slow
 * machine, where a fork costs as much as writing some files.
 */
static bool may_start(struct run *run)
{
	if (run->running >= run->width)
		return false;
	if (run->running == 0 || worker_waits(run))
		return true;
	if (run->ramp_passed) {
		run->ramp_passed = false;
		return true;
	}
	sd_event_source_set_time_relative(run->ramp, ramp_us(run));
	sd_event_source_set_enabled(run->ramp, SD_EVENT_ONESHOT);
	return false;
}

static int on_ramp(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct run *run = ctx;

	(void)s;
	(void)usec;
	run->ramp_passed = true;
	schedule(run);
	return 0;
}

/* Starts or decides a waiting step; false if no child is free for it. */
static bool advance(struct run *run, size_t step)
{
	const struct plan_edge *edge = NULL;

	switch (step_readiness(run, step, &edge)) {
	case NEVER:
		block(run, step, edge);
		return true;
	case NOT_YET:
		return true;
	case READY:
		break;
	}
	if (clock_passed(run->options->deadline)) {
		run->result.deadline_passed = true;
		run->ending = true;
		return false;
	}
	if (!may_start(run))
		return false;
	start(run, step);
	return true;
}

/* In plan order, so that what a step waits for is decided before the step is examined. */
static void schedule(struct run *run)
{
	const struct step_outcome *o = run->result.outcomes;

	while (run->first < run->plan->n && o[run->first].state != STEP_WAITING)
		run->first++;
	for (size_t i = run->first; i < run->plan->n && !run->ending; i++)
		if (o[i].state == STEP_WAITING && !advance(run, i))
			break;
	if (run->ending)
		skip_waiting(run);
}

static void finished(struct run *run, size_t step)
{
	struct step_outcome *o = &run->result.outcomes[step];

	o->end_ns = clock_now();
	run->running--;
	if (o->state == STEP_FAILED && clock_passed(run->options->deadline))
		run->result.deadline_passed = true;
	conclude(run, step);
	schedule(run);
}

/* ---- the run ---- */

static int on_tick(sd_event_source *s, uint64_t usec, void *ctx)
{
	(void)usec;
	tick(ctx);
	sd_event_source_set_time_relative(s, TICK_US);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_stop(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct run *run = ctx;

	(void)fd;
	(void)events;
	sd_event_source_set_enabled(s, SD_EVENT_OFF);
	run->result.interrupted = true;
	for (size_t i = 0; i < run->width; i++)
		if (run->workers[i].pid && run->workers[i].step != RUN_NO_STEP)
			worker_stop(&run->workers[i]);
	skip_waiting(run);
	return 0;
}

static int add_sources(struct run *run)
{
	int r = sd_event_add_time_relative(run->event, &run->ticks, CLOCK_BOOTTIME, TICK_US, 0,
	                                   on_tick, run);

	if (r < 0)
		return r;
	r = sd_event_add_time_relative(run->event, &run->ramp, CLOCK_BOOTTIME, RAMP_US, 1, on_ramp,
	                               run);
	if (r < 0 || run->options->stop_fd <= 0)
		return r;
	return sd_event_add_io(run->event, &run->stop, run->options->stop_fd, EPOLLIN, on_stop,
	                       run);
}

static int loop(struct run *run)
{
	int r = sd_event_new(&run->event);

	if (r < 0)
		return r;
	r = add_sources(run);
	if (r < 0)
		return r;
	schedule(run);
	/* Whatever runs has a timer, so every iteration ends. */
	while (run->done < run->plan->n) {
		r = sd_event_run(run->event, UINT64_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

static void close_run(struct run *run)
{
	workers_close(run);
	sd_event_source_disable_unref(run->ticks);
	sd_event_source_disable_unref(run->ramp);
	sd_event_source_disable_unref(run->stop);
	sd_event_unref(run->event);
}

static size_t width_of(const struct run_options *o)
{
	if (o->host && host_mode(o->host) == HOST_DRY)
		return 1;
	if (!o->width)
		return RUN_WIDTH;
	return o->width < RUN_WIDTH_MAX ? o->width : RUN_WIDTH_MAX;
}

int plan_run(const struct plan *p, const struct run_options *o, struct arena *a,
             struct run_result *ret, struct err *e)
{
	struct run run = {
	        .plan = p,
	        .options = o,
	        .arena = a,
	        .result = {.n = p->n,
	                   .outcomes = arena_array(a, p->n, sizeof(struct step_outcome)),
	                   .start_ns = clock_now()},
	        .root = arena_array(a, p->n, sizeof(size_t)),
	        .width = width_of(o),
	        .finished = finished,
	        .dry = o->host && host_mode(o->host) == HOST_DRY,
	};

	run.workers = arena_array(a, run.width, sizeof *run.workers);
	for (size_t i = 0; i < run.width; i++)
		run.workers[i] =
		        (struct worker){.run = &run, .pidfd = -1, .sock = -1, .step = RUN_NO_STEP};
	int r = loop(&run);
	close_run(&run);
	if (r < 0)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, -r, "running the plan: %s",
		               strerror(-r));
	run.result.end_ns = clock_now();
	*ret = run.result;
	return 0;
}
