/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build, and other long work, tells while it goes: a line for each step on standard output, the running one too
 * when that is a terminal; or an event a line with --json:
 *     {"event":"step","n":3,"of":12,"step":"files:/etc/motd","state":"cached","key":"...","ns":12}
 * state: running, cached, built, failed. {"event":"said","step":..,"elapsed_ns":..,"line":..} tells
 * at most once a second what the running one says, {"event":"phase","what":..} what other work goes
 * on. {"event":"failed","step":..,"tree":..,"log":..,"look":..,
 * "lines":[..]} follows the last one; {"event":"output",...} and {"event":"done",...} end it.
 */
#pragma once

#include "program/feed.h"
#include "store/layer.h"

struct progress {
	struct feed feed;
	size_t n, of;
	size_t cached, built;
	bool verbose;
	const char *running;   /* the step */
	uint64_t began, pause; /* clock.h; pause: of events */
	const char *look;      /* the command to look into a step that failed */
};

void progress_open(struct progress *p, const struct program *program, const char *look);
void progress_close(struct progress *p);
#define scope_progress __attribute__((cleanup(progress_close)))

void progress_running(struct progress *p, const char *step, const char *key);
void progress_done(struct progress *p, const char *step, const char *key, const char *state,
                   uint64_t ns);
/* The same for work that isn't counted; tells it as progress_phase(). */
void progress_work(struct progress *p, const char *what);
/* A line that the running step's programs wrote; a layer's `said`. */
void progress_said(void *progress, const char *line);
/* Work that is no step: "writing 'out/x.raw'". */
void progress_phase(struct progress *p, const char *what);
/* state: "written" or "unchanged". */
void progress_output(struct progress *p, const char *path, const char *state, uint64_t ns);
void progress_end(struct progress *p, const char *key, uint64_t ns);

/* Prints, on standard error, the last lines of the log, where the whole log is and, if its tree
 * was kept, how to look inside. */
void progress_failed(struct progress *p, const char *step, const struct layer *l, bool has_tree,
                     uint64_t ns);
