/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast EC2 is asked: token buckets at half of what EC2 gives an account ("Request throttling
 * for the Amazon EC2 API"), since others share it. While EC2 answers, the rate grows step by step to
 * all of EC2's; a throttle halves it.
 */
#pragma once

#include <stdint.h>

struct bucket {
	double burst, rate;  /* tokens; tokens a second, all that EC2 gives */
	double level, share; /* share: the part of the rate that is used, 1/32 to 1; at first 1/2 */
	uint64_t at;         /* clock.h: when `level` was right */
};

/* One per call, and those of RunInstances and TerminateInstances also one per instance. */
enum bucket_kind {
	BUCKET_RUN,
	BUCKET_RUN_INSTANCES,
	BUCKET_END,
	BUCKET_END_INSTANCES,
	BUCKET_LOOK,
	BUCKET_COUNT
};
struct bucket bucket_new(enum bucket_kind kind, uint64_t now);

/*
 * Takes n tokens, or none: then returns how many nanoseconds until they are there; 0: taken. More
 * than the bucket holds are given once it is full, and owed.
 */
uint64_t bucket_take(struct bucket *b, double n, uint64_t now);
/* n more were used, whether they were there or not. */
void bucket_owe(struct bucket *b, double n, uint64_t now);
/* One of `call`, and n of `each`, or neither. */
uint64_t bucket_take_both(struct bucket *call, struct bucket *each, double n, uint64_t now);
void bucket_throttled(struct bucket *b, uint64_t now);
void bucket_answered(struct bucket *b, uint64_t now);
