/* SPDX-License-Identifier: Apache-2.0 */
/* One launch: asks EC2 for it, with its token, and writes down what was answered. */
#pragma once

#include "serve/fleet.h"

#define ASK_AGAIN_MS 2000

struct ask_answer {
	bool answered;     /* false: the same is to be asked again, later */
	bool silent;       /* because EC2 didn't answer, or is asked too fast: that holds for all */
	size_t n;          /* nodes that got no instance, and are still wanted */
	const char **left; /* their names, in the arena */
};

/*
 * The launch of that token, which the ledger has as asked for and not answered. Where EC2 gave less
 * than all the pool rests. Errors: those of the journal.
 */
int ask(struct fleet *f, const char *token, struct arena *a, struct ask_answer *ret,
        struct err *e) ATTR_MUST_USE;
