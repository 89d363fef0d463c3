/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/run.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "plan/run_own.h"

#define TICK_US UINT64_C(1000000)
#define RAMP_US UINT64_C(2000) /* a step longer than this is worth another process beside it */

static void tick(const struct run *r)
{
	const struct run_observer *o = r->options->observer;

	if (o && o->tick)
		o->tick(o->ctx, r->running, r->done);
}

/* ---- the end of a step ---- */

static void conclude(struct run *r, size_t step)
{
	const struct run_observer *o = r->options->observer;

	r->done++;
	if (o && o->finished)
		o->finished(o->ctx, r->plan, step, &r->result.outcomes[step]);
	tick(r);
}

static void block(struct run *r, size_t step, const struct plan_edge *edge)
{
	const struct step_outcome *before = &r->result.outcomes[edge->before];
	struct step_outcome *o = &r->result.outcomes[step];
	bool direct = before->state == STEP_FAILED;
	const char *id = r->plan->steps[edge->before]->id;
	const char *what = edge->need ? edge->need : "the end";

	r->root[step] = direct ? edge->before : r->root[edge->before];
	o->state = STEP_BLOCKED;
	/* The kind of the cause, for the exit status. */
	enum err_kind kind = r->result.outcomes[r->root[step]].err.kind;
	if (direct)
		err_set(&o->err, kind, REASON_STEP_BLOCKED, ECANCELED,
		        "waits for %s of '%s', which failed", what, id);
	else
		err_set(&o->err, kind, REASON_STEP_BLOCKED, ECANCELED,
		        "waits for %s of '%s', which is blocked by '%s'", what, id,
		        r->plan->steps[r->root[step]]->id);
	conclude(r, step);
}

static void skip_waiting(struct run *r)
{
	for (size_t i = 0; i < r->plan->n; i++) {
		if (r->result.outcomes[i].state != STEP_WAITING)
			continue;
		r->result.outcomes[i].state = STEP_SKIPPED;
		conclude(r, i);
	}
}

/* ---- the beginning of steps ---- */

static void schedule(struct run *r);

enum readiness { NOT_YET, READY, NEVER };

static enum readiness edge_readiness(const struct run *r, const struct plan_edge *edge)
{
	switch (r->result.outcomes[edge->before].state) {
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
	return !edge->need && r->plan->steps[edge->before]->policy.optional ? READY : NEVER;
}

/* Blocked as soon as one need can't be met any more, not when the last one is decided. */
static enum readiness step_readiness(const struct run *r, size_t step,
                                     const struct plan_edge **ret_edge)
{
	const struct plan_edges *edges = &r->plan->edges[step];
	enum readiness worst = READY;

	for (size_t i = 0; i < edges->n; i++) {
		enum readiness one = edge_readiness(r, &edges->items[i]);

		if (one == NEVER) {
			*ret_edge = &edges->items[i];
			return NEVER;
		}
		if (one == NOT_YET)
			worst = NOT_YET;
	}
	return worst;
}

static void fail_start(struct run *r, size_t step, int no)
{
	struct step_outcome *o = &r->result.outcomes[step];

	o->state = STEP_FAILED;
	err_set(&o->err, ERR_HOST, REASON_HOST_EXEC, -no, "starting a process for '%s': %s",
	        r->plan->steps[step]->id, strerror(-no));
	conclude(r, step);
}

static void start(struct run *r, size_t step)
{
	const struct run_observer *o = r->options->observer;
	int no = worker_start_step(r, step);

	/* Where processes are short, the end of a running step makes room. */
	if (no < 0 && r->running == 0)
		fail_start(r, step, no);
	if (no < 0)
		return;
	r->running++;
	if (o && o->started)
		o->started(o->ctx, r->plan, step);
}

/*
 * Where all holds already one child goes through the plan faster than eight can be forked, so that
 * another one is added only while those that are there are busy for a while.
 */
static bool may_start(struct run *r)
{
	if (r->running >= r->width)
		return false;
	if (r->running == 0 || worker_waits(r))
		return true;
	if (r->ramp_passed) {
		r->ramp_passed = false;
		return true;
	}
	sd_event_source_set_time_relative(r->ramp, RAMP_US);
	sd_event_source_set_enabled(r->ramp, SD_EVENT_ONESHOT);
	return false;
}

static int on_ramp(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct run *r = ctx;

	(void)s;
	(void)usec;
	r->ramp_passed = true;
	schedule(r);
	return 0;
}

/* Starts or decides a step that waits; false when nobody is free for it. */
static bool advance(struct run *r, size_t step)
{
	const struct plan_edge *edge = NULL;

	switch (step_readiness(r, step, &edge)) {
	case NEVER:
		block(r, step, edge);
		return true;
	case NOT_YET:
		return true;
	case READY:
		break;
	}
	if (clock_passed(r->options->deadline)) {
		r->result.deadline_passed = true;
		r->ending = true;
		return false;
	}
	if (!may_start(r))
		return false;
	start(r, step);
	return true;
}

/* In plan order, so that what a step waits for is decided before the step is looked at. */
static void schedule(struct run *r)
{
	const struct step_outcome *o = r->result.outcomes;

	while (r->first < r->plan->n && o[r->first].state != STEP_WAITING)
		r->first++;
	for (size_t i = r->first; i < r->plan->n && !r->ending; i++)
		if (o[i].state == STEP_WAITING && !advance(r, i))
			break;
	if (r->ending)
		skip_waiting(r);
}

void run_finished(struct run *r, size_t step)
{
	struct step_outcome *o = &r->result.outcomes[step];

	o->end_ns = clock_now();
	r->running--;
	if (o->state == STEP_FAILED && clock_passed(r->options->deadline))
		r->result.deadline_passed = true;
	conclude(r, step);
	schedule(r);
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
	struct run *r = ctx;

	(void)fd;
	(void)events;
	sd_event_source_set_enabled(s, SD_EVENT_OFF);
	r->result.interrupted = true;
	r->ending = true;
	for (size_t i = 0; i < r->width; i++)
		if (r->workers[i].pid && r->workers[i].step != RUN_NO_STEP)
			worker_stop(&r->workers[i]);
	skip_waiting(r);
	return 0;
}

static int add_sources(struct run *r)
{
	int no = sd_event_add_time_relative(r->event, &r->ticks, CLOCK_BOOTTIME, TICK_US, 0,
	                                    on_tick, r);

	if (no >= 0)
		no = sd_event_add_time_relative(r->event, &r->ramp, CLOCK_BOOTTIME, RAMP_US, 1,
		                                on_ramp, r);
	if (no >= 0 && r->options->stop_fd > 0)
		no = sd_event_add_io(r->event, &r->stop, r->options->stop_fd, EPOLLIN, on_stop, r);
	return no;
}

static int loop(struct run *r)
{
	int no = add_sources(r);

	if (no >= 0)
		schedule(r);
	/* Whatever runs has a timer, so that every turn of this ends. */
	while (no >= 0 && r->done < r->plan->n)
		no = sd_event_run(r->event, UINT64_MAX);
	return no < 0 ? no : 0;
}

static void close_run(struct run *r)
{
	workers_close(r);
	sd_event_source_disable_unref(r->ticks);
	sd_event_source_disable_unref(r->ramp);
	sd_event_source_disable_unref(r->stop);
	sd_event_unref(r->event);
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
	struct run r = {
	        .plan = p,
	        .options = o,
	        .arena = a,
	        .result = {.n = p->n,
	                   .outcomes = arena_array(a, p->n, sizeof(struct step_outcome)),
	                   .start_ns = clock_now()},
	        .root = arena_array(a, p->n, sizeof(size_t)),
	        .width = width_of(o),
	        .dry = o->host && host_mode(o->host) == HOST_DRY,
	};

	r.workers = arena_array(a, r.width, sizeof *r.workers);
	for (size_t i = 0; i < r.width; i++)
		r.workers[i] =
		        (struct worker){.run = &r, .pidfd = -1, .sock = -1, .step = RUN_NO_STEP};
	int no = sd_event_new(&r.event);
	if (no >= 0)
		no = loop(&r);
	close_run(&r);
	if (no < 0)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, -no, "running the plan: %s",
		               strerror(-no));
	r.result.end_ns = clock_now();
	*ret = r.result;
	return 0;
}
