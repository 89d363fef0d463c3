/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run has done to the account: one line of JSON for each event, on disk before the call it
 * is about:
 *
 *     {"event":"begin", ...}                            what was asked for
 *     {"event":"intent","step":"start","token":"..."}   about to call
 *     {"event":"done","step":"start","id":"snap-..."}   the result of the call
 *     {"event":"end","as":"published"}                  nothing is left to do
 *
 * The process that has a journal open holds its lock; it is released when the process dies.
 */
#pragma once

#include "data/doc.h"

#define JOURNAL_RUN 40

struct journal {
	struct arena *arena; /* borrowed */
	int fd;
	char run[JOURNAL_RUN];
	size_t n;
	const struct doc **lines;
};

struct journal_pair {
	const char *key, *value; /* value NULL: left out */
};

/* A name for a new run, from time and random bits; valid as a file name and a tag. */
void journal_name(char ret[static JOURNAL_RUN]);
bool journal_name_valid(const char *run);

/* `make`: creates it, and it must not exist; else opens it, and it must exist. Locked by another
 * process: -EBUSY, REASON_BUSY. A last line that was cut short by a crash is ignored. */
int journal_open(struct journal *j, int dir, const char *run, bool make, struct arena *a,
                 struct err *e) ATTR_MUST_USE;
void journal_close(struct journal *j);

/* Adds a line and waits until it is on disk. */
int journal_line(struct journal *j, const struct strbuf *line, struct err *e) ATTR_MUST_USE;
int journal_note(struct journal *j, const char *event, const char *step,
                 const struct journal_pair *pairs, size_t n, struct err *e) ATTR_MUST_USE;

/* The last line of that event and step (NULL: any), or NULL. */
const struct doc *journal_find(const struct journal *j, const char *event, const char *step);
