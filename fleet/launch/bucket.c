/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets for calls of EC2. */
#include "launch/bucket.h"

#include "base/attr.h"

#define NS       1e9
#define AT_FIRST (1.0 / 2)
#define SLOWEST  (1.0 / 32)
#define RECOVERS (1.0 / 16) /* of EC2's rate, with each answer */

/* What EC2 gives a region of an account. */
static const struct {
	double burst, rate;
} limits[] = {
        [BUCKET_RUN] = {5, 2},     [BUCKET_RUN_INSTANCES] = {1000, 2},
        [BUCKET_END] = {100, 5},   [BUCKET_END_INSTANCES] = {1000, 20},
        [BUCKET_LOOK] = {100, 20}, /* with a filter and pages */
};
_Static_assert(ARRAY_LEN(limits) == BUCKET_COUNT, "each bucket has its limits");

struct bucket bucket_new(enum bucket_kind kind, uint64_t now)
{
	return (struct bucket){.burst = limits[kind].burst * AT_FIRST,
	                       .rate = limits[kind].rate,
	                       .level = limits[kind].burst * AT_FIRST,
	                       .share = AT_FIRST,
	                       .at = now};
}

static void fill(struct bucket *b, uint64_t now)
{
	if (now > b->at)
		b->level += (double)(now - b->at) / NS * b->rate * b->share;
	if (b->level > b->burst)
		b->level = b->burst;
	b->at = now;
}

uint64_t bucket_take(struct bucket *b, double n, uint64_t now)
{
	double need = n < b->burst ? n : b->burst;

	fill(b, now);
	if (b->level < need)
		return (uint64_t)((need - b->level) / (b->rate * b->share) * NS) + 1;
	b->level -= n;
	return 0;
}

void bucket_owe(struct bucket *b, double n, uint64_t now)
{
	fill(b, now);
	b->level -= n;
}

uint64_t bucket_take_both(struct bucket *call, struct bucket *each, double n, uint64_t now)
{
	uint64_t wait = bucket_take(each, n, now);

	if (wait)
		return wait;
	wait = bucket_take(call, 1, now);
	if (wait)
		each->level += n;
	return wait;
}

void bucket_throttled(struct bucket *b, uint64_t now)
{
	fill(b, now);
	b->level = b->level > 0 ? 0 : b->level;
	b->share = b->share / 2 > SLOWEST ? b->share / 2 : SLOWEST;
}

void bucket_answered(struct bucket *b, uint64_t now)
{
	fill(b, now);
	b->share = b->share + RECOVERS < 1 ? b->share + RECOVERS : 1;
}
