/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps of a chain a build would find in the store, and why not the others. */
#pragma once

#include "build/chain.h"
#include "build/record.h"

enum why_state {
	WHY_CACHED,
	WHY_BUILD,
	WHY_UNKNOWN, /* it can't be built here, or we may not read the store */
};

struct why {
	enum why_state state;
	const char *key; /* NULL: not known */
	size_t n;
	const char **reasons; /* "'content' changed (motd.yaml:7:12)"; none when cached */
};
#define WHY_REASONS_MAX 16

/* One result for each step, compared with the last build of the recipe at that path. */
void why_tell(const struct chain *c, const struct store *s, const char *recipe, struct arena *a,
              struct why *ret);

/* Records the layers of the first `n` steps for the next time; what is recorded of the others
 * stays. With `failed`, step n is the one that failed, and its tree was kept. */
void why_remember(const struct chain *c, const struct store *s, const char *recipe,
                  const struct layer *held, size_t n, bool failed);

const char *why_state_name(enum why_state state); /* "cached", "build", "unknown" */
