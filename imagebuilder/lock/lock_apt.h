/* SPDX-License-Identifier: Apache-2.0 */
/* Locks from apt: what a list of packages comes to. */
#pragma once

#include "lock/lock.h"

/* What of a lock that is there is kept. */
struct lock_keep {
	const struct lock *was;
	struct field_strings update; /* packages that are not kept */
	/* Makes those of `was` that the sources no longer have known to apt again: gives the lines of
	 * sources.list(5) for a repository of them, which stays until lock_resolve() has ended. */
	int (*bring)(void *ctx, const struct lock *gone, const char **ret_source, struct err *e);
	void *ctx;
};

struct lock_question {
	const char *from, *arch;
	const struct field_strings *asked, *sources;
	const struct lock_keep *keep; /* NULL: all packages are today's */
	const char *dir;              /* empty, for apt's state */
	/* Called as it goes on: "fetching package lists". */
	void (*phase)(void *ctx, const char *what);
	void *ctx;
};

/*
 * Asks apt, in a state of its own, how those packages resolve from these sources today, by the rules
 * of mmdebstrap's variant minbase. With `keep`, packages that `was` has stay at its versions, but
 * those of `update` and what these need otherwise than it is there. Needs no root.
 */
int lock_resolve(const struct lock_question *q, struct arena *a, struct lock *ret,
                 struct err *e) ATTR_MUST_USE;
