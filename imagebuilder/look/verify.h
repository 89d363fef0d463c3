/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image must carry and must not, looked for in the image itself. Each check has a name and
 * tells what holds, each fault, or that there is nothing to look at.
 */
#pragma once

#include "look/hygiene.h"
#include "look/inspect.h"

enum verify_state {
	VERIFY_OK,
	VERIFY_FAULT,
	VERIFY_NOTE, /* neither: nothing to be checked, and why */
};

struct verify {
	const struct inspect *image;
	hygiene_allow allow;
	uint64_t deadline;
	struct arena *arena;
	void (*tell)(void *ctx, const char *check, enum verify_state state, const char *what);
	void *ctx;
	size_t faults;
};

/* All checks, in their order; only what keeps one from being made is an error. */
int verify_all(struct verify *v, struct err *e) ATTR_MUST_USE;
