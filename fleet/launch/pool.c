/* SPDX-License-Identifier: Apache-2.0 */
/* The order of pools, and their rests. */
#include "launch/pool.h"

#include <stdio.h>

#include "base/clock.h"

#define NS           1000000000ULL
#define REST_NS      (60 * NS)
#define REST_MOST_NS (600 * NS)
#define DOUBLINGS    4 /* until the longest */

struct site_pool *pool_next(const struct site_resource *r, uint64_t now)
{
	for (size_t i = 0; i < r->n_pools; i++)
		if (r->pools[i].rests_until <= now)
			return &r->pools[i];
	return NULL;
}

uint64_t pool_back(const struct site_resource *r)
{
	uint64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < r->n_pools; i++)
		first = clock_min(first, r->pools[i].rests_until);
	return first;
}

struct site_pool *pool_find(const struct site_resource *r, const char *type, const char *subnet,
                            const char *market)
{
	for (size_t i = 0; i < r->n_pools; i++)
		if (str_eq(r->pools[i].type, type) && str_eq(r->pools[i].subnet, subnet) &&
		    str_eq(r->pools[i].market, market))
			return &r->pools[i];
	return NULL;
}

/* What a cause is about. */
enum reach { REACH_NONE, REACH_POOL, REACH_SUBNET, REACH_MARKET, REACH_RESOURCE, REACH_ALL };

static const struct {
	enum reach reach;
	uint64_t ns;
} rests[CAUSE_COUNT] = {
        [CAUSE_CAPACITY] = {REACH_POOL, REST_NS},
        [CAUSE_ADDRESSES] = {REACH_SUBNET, REST_NS},
        [CAUSE_LIMIT] = {REACH_MARKET, REST_MOST_NS},
        [CAUSE_DENIED] = {REACH_ALL, REST_NS},
        [CAUSE_PARAMETER] = {REACH_RESOURCE, CLOCK_NEVER},
};

static bool reaches(enum reach reach, const struct site_pool *from, const struct site_pool *to)
{
	switch (reach) {
	case REACH_POOL:
		return from == to;
	case REACH_SUBNET:
		return str_eq(from->subnet, to->subnet);
	case REACH_MARKET:
		return from->resource == to->resource && str_eq(from->market, to->market);
	case REACH_RESOURCE:
		return from->resource == to->resource;
	case REACH_ALL:
		return true;
	case REACH_NONE:
		break;
	}
	return false;
}

static uint64_t rest_of(const struct site_pool *p, enum cause cause)
{
	uint64_t ns = rests[cause].ns;

	if (cause != CAUSE_CAPACITY)
		return ns;
	for (unsigned i = 1; i < p->failures && i <= DOUBLINGS; i++)
		ns *= 2;
	return clock_min(ns, REST_MOST_NS);
}

void pool_failed(const struct site *s, struct site_pool *p, enum cause cause, const char *why,
                 uint64_t now)
{
	uint64_t until;

	p->failures++;
	until = rest_of(p, cause);
	until = until == CLOCK_NEVER ? until : now + until;
	for (size_t i = 0; i < s->n_resources; i++)
		for (size_t k = 0; k < s->resources[i].n_pools; k++) {
			struct site_pool *at = &s->resources[i].pools[k];

			if (!reaches(rests[cause].reach, p, at))
				continue;
			if (until > at->rests_until)
				at->rests_until = until;
			snprintf(at->why, sizeof at->why, "%s", why);
		}
}

void pool_worked(struct site_pool *p)
{
	p->failures = 0;
	p->rests_until = 0;
	p->why[0] = '\0';
}

void pool_clear(const struct site *s)
{
	for (size_t i = 0; i < s->n_resources; i++) {
		s->resources[i].boots = 0;
		for (size_t k = 0; k < s->resources[i].n_pools; k++)
			pool_worked(&s->resources[i].pools[k]);
	}
}
