/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The faults of an input: all of them rather than only the first, each with its place.
 *
 * A reader that takes a `struct faults *` continues after a fault of the input wherever the rest
 * can still be checked, and fails at the end: with all faults in the list and one of them in *e.
 * Given NULL it stops at the first. Readers call faults_add() after each failure:
 *
 *     int failed = 0;
 *     for (...) {
 *             int r = read_one(..., e);
 *             if (r < 0 && !faults_add(faults, e))
 *                     return r;
 *             failed = r < 0 ? r : failed;
 *     }
 *     return failed;
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define FAULTS_MAX 64

struct faults {
	struct arena *arena;
	size_t n;          /* at most FAULTS_MAX */
	bool more;         /* there are further ones */
	struct err *items; /* in the order they were found */
};

/*
 * Keeps a copy of *e, once however often it is given, so that each caller on the way up may give it
 * again. True if the reader should continue: `f` isn't NULL and has room, and the kind is
 * ERR_INPUT.
 */
bool faults_add(struct faults *f, const struct err *e);

/* The same for a reader whose faults are found in many functions, which go on unless it has ended. */
struct faults_walk {
	struct faults *faults; /* NULL: the first fault ends it */
	struct err *err;       /* where each fault is written to */
	int failed;            /* 0, or the result of the last fault */
	bool ended;            /* no further faults are wanted */
};

/* Takes the fault that is in w->err; `result` is its -errno. */
void faults_take(struct faults_walk *w, int result);
