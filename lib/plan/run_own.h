/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the run_*.c files; not for others. */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "plan/run.h"

#define RUN_NO_STEP SIZE_MAX

#define RUN_EXIT_UNHEARD 126 /* of a child that could not send its result */

/* Lowest priority, so that a child that sends all the time doesn't delay a timer. */
#define RUN_PRIORITY_MESSAGE (SD_EVENT_PRIORITY_NORMAL + 1)

/* ---- between the run and its children: one packet each, same program on both ends ---- */

struct run_order {
	size_t step;
	uint64_t deadline;
};

enum run_message_type { RUN_RESULT, RUN_RETRY, RUN_CHANGE, RUN_LOG };

struct run_message {
	enum run_message_type type;
	enum step_state state; /* RUN_RESULT */
	unsigned tries;        /* RUN_RESULT, RUN_RETRY */
	enum log_level level;  /* RUN_LOG */
	struct err err;        /* RUN_RESULT, RUN_RETRY */
	char text[2048];       /* RUN_CHANGE, RUN_LOG; terminated, sent as far as it is used */
};

/* The child: carries out orders from `sock` until it is closed. run_child.c */
_Noreturn void run_child(const struct plan *p, const struct run_options *o, int sock, pid_t parent);

/* ---- in the run ---- */

struct run;

/* A child, or a free slot for one. */
struct worker {
	struct run *run;
	pid_t pid; /* 0: none */
	int pidfd, sock;
	sd_event_source *exited, *message, *timer;
	size_t step; /* RUN_NO_STEP: waits for an order */
	bool killed; /* by us */
	bool ended;  /* by itself; perhaps still to be reaped */
};

struct run {
	const struct plan *plan;
	const struct run_options *options;
	struct arena *arena;
	struct run_result result;
	sd_event *event;
	sd_event_source *ticks, *ramp, *stop;
	/* Called by run_worker.c when the step has ended; its outcome says how. */
	void (*finished)(struct run *run, size_t step);
	size_t *root; /* for a blocked step: the one that failed */
	struct worker *workers;
	size_t width, running, done;
	size_t first;     /* every step before it has been started or decided */
	uint64_t fork_ns; /* how long the last child took to make */
	bool dry, ending, ramp_passed;
};

/* run_worker.c: -errno if no child can be started. */
int worker_start_step(struct run *run, size_t step);
/* Whether there is an idle child that waits for an order. */
bool worker_waits(const struct run *run);
/* Asks what the child runs to end; kills the child if it runs nothing. */
void worker_stop(struct worker *w);
/* Called after the last step: ends all children. */
void workers_close(struct run *run);
