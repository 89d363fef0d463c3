/* SPDX-License-Identifier: Apache-2.0 */
/* What of two configurations differs, key by key. */
#pragma once

#include "data/doc.h"

struct difference {
	const char *path;           /* "Scheduling.SlurmQueues[q1].ComputeResources[c].MaxCount" */
	const char *before, *after; /* as JSON; NULL: it isn't there */
	const char *effect;         /* when it shows, in words */
};
struct differences {
	size_t n;
	struct difference *items;
};

/* Entries of lists that have a Name are the same ones where that is the same. In `a`. */
void differ(const struct doc *before, const struct doc *after, struct arena *a,
            struct differences *ret);

/* Names of SlurmQueues that the second no longer has; *ret has *ret_n. */
void differ_queues(const struct doc *before, const struct doc *after, struct arena *a,
                   const char *const **ret, size_t *ret_n);
