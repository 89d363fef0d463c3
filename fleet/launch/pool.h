/* SPDX-License-Identifier: Apache-2.0 */
/* Which pool is asked next, and for how long one rests that had nothing. */
#pragma once

#include "launch/cause.h"
#include "launch/site.h"

/* The first pool of the resource that doesn't rest; NULL: all do. */
struct site_pool *pool_next(const struct site_resource *r, uint64_t now);

/* When the first of them is back, clock.h; CLOCK_NEVER: not before pool_clear(). */
uint64_t pool_back(const struct site_resource *r);

/* NULL: the file has no such pool any more. */
struct site_pool *pool_find(const struct site_resource *r, const char *type, const char *subnet,
                            const char *market);

/*
 * A launch failed: lets rest what the cause is about. Capacity: the pool, 60 s, twice as long each
 * time, at most 10 minutes. Addresses: all pools in its subnet, 60 s. Limit: all of its resource
 * in its market, 10 minutes. Denied: all, 60 s. Parameter: all of its resource, until pool_clear(). Throttles and
 * failing servers say nothing about a pool.
 */
void pool_failed(const struct site *s, struct site_pool *p, enum cause cause, const char *why,
                 uint64_t now);
void pool_worked(struct site_pool *p);

/* None rests any more, and no bootstrap has failed. */
void pool_clear(const struct site *s);
