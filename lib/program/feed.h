/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb tells while it works: lines for people, the one in progress too where they look at a
 * terminal; or with --json one event a line, {"schema":1,"event":NAME,...}, on standard output. Each line is
 * flushed, so that who reads a pipe sees it when it is written.
 *
 *     struct feed f;
 *     feed_open(&f, &g->program, stdout);
 *     feed_passing(&f, "%3zu %%", percent);
 *     if (f.json) {
 *             struct jsonw *w = feed_begin(&f, "progress");
 *             jsonw_u64(w, "done", done);
 *             feed_end(&f);
 *     }
 *     feed_close(&f);
 */
#pragma once

#include <stdio.h>

#include "data/jsonw.h"
#include "program/program.h"

struct feed {
	bool json, quiet;
	bool terminal; /* `lines` is one */
	FILE *lines;   /* the caller's: stdout, or stderr where stdout holds the result */
	/* private to feed.c: */
	bool passing;   /* the last line is one that the next one replaces */
	uint64_t pause; /* earliest time of the next passing line, clock.h */
	struct arena *arena;
	struct strbuf text;
	struct jsonw writer;
};

void feed_open(struct feed *f, const struct program *p, FILE *lines);
/* Leaves the passing line as it is, and begins a new line. */
void feed_close(struct feed *f);
/* The same without leaving it: for work of which nothing more is to be told. */
void feed_clear(struct feed *f);

/* A line that stays; none with --quiet or --json. */
void feed_line(struct feed *f, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* A line that the next one replaces, cut to 80 columns, at most five a second; only on a terminal. */
void feed_passing(struct feed *f, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* An event, only with --json; its members are written before feed_end(). */
struct jsonw *feed_begin(struct feed *f, const char *event);
void feed_end(struct feed *f);
