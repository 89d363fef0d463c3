/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets for calls of EC2. */
#include "launch/bucket.h"

#include "base/attr.h"

#define NS       1e9
#define SLOWEST  (1.0 / 16)
#define RECOVERS (1.0 / 16) /* of the rate, with each answer */

/* Half of EC2's: RunInstances 5 and 2/s, and 1000 instances and 2/s; TerminateInstances 100 and 5/s,
 * and 1000 and 20/s; Describe* with a filter 100 and 20/s. */
static const struct {
	double burst, rate;
} limits[] = {
        [BUCKET_RUN] = {2.5, 1},  [BUCKET_RUN_INSTANCES] = {500, 1},
        [BUCKET_END] = {50, 2.5}, [BUCKET_END_INSTANCES] = {500, 10},
        [BUCKET_LOOK] = {50, 10},
};
_Static_assert(ARRAY_LEN(limits) == BUCKET_COUNT, "each bucket has its limits");

struct bucket bucket_new(enum bucket_kind kind, uint64_t now)
{
	return (struct bucket){.burst = limits[kind].burst,
	                       .rate = limits[kind].rate,
	                       .level = limits[kind].burst,
	                       .slowed = 1,
	                       .at = now};
}

static void fill(struct bucket *b, uint64_t now)
{
	if (now > b->at)
		b->level += (double)(now - b->at) / NS * b->rate * b->slowed;
	if (b->level > b->burst)
		b->level = b->burst;
	b->at = now;
}

uint64_t bucket_take(struct bucket *b, double n, uint64_t now)
{
	double need = n < b->burst ? n : b->burst;

	fill(b, now);
	if (b->level < need)
		return (uint64_t)((need - b->level) / (b->rate * b->slowed) * NS) + 1;
	b->level -= n;
	return 0;
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
	b->slowed = b->slowed / 2 > SLOWEST ? b->slowed / 2 : SLOWEST;
}

void bucket_answered(struct bucket *b, uint64_t now)
{
	fill(b, now);
	b->slowed = b->slowed + RECOVERS < 1 ? b->slowed + RECOVERS : 1;
}
