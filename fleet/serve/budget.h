/* SPDX-License-Identifier: Apache-2.0 */
/* What queues may use, by the fleet's file: hours of instances in a month, and dollars an hour. */
#pragma once

#include "serve/fleet.h"

#define BUDGET_AGAIN_MS 300000 /* what was refused is tried again after that */

/*
 * How many of `n` more instances of that pool its queue may have now, each at its pool's price; where those
 * are less, *ret_why says what of the file refuses them, and the queue rests. Hours are those that its
 * instances had since the month began (UTC): they are counted at most once a minute.
 */
size_t budget_fit(struct fleet *f, const struct site_pool *p, size_t n, struct arena *a,
                  const char **ret_why);

/* Whether nodes of the resource may be given back to Slurm: its queue doesn't rest. */
bool budget_allows(const struct fleet *f, const struct site_resource *r);
