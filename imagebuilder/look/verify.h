/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image must and must not have, checked in the image itself. Each check has a name and
 * reports what holds, each fault, or that there is nothing to check.
 */
#pragma once

#include "hygiene/hygiene.h"
#include "look/inspect.h"

enum verify_state {
	VERIFY_OK,
	VERIFY_FAULT,
	VERIFY_NOTE, /* neither: there is nothing to check, and why */
};

struct verify {
	const struct inspect *image;
	const struct hygiene_intent *intent; /* the recipe's; NULL: it allows nothing */
	uint64_t deadline;
	struct arena *arena;
	void (*tell)(void *ctx, const char *check, enum verify_state state, const char *what);
	/* Called before each check, "searching for what no image may have"; or NULL. */
	void (*phase)(void *ctx, const char *what);
	void *ctx;
	size_t faults;
};

/* Runs all checks in order; only a check that can't be carried out is an error. */
int verify_all(struct verify *v, struct err *e) ATTR_MUST_USE;
