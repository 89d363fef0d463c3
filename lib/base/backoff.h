/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full-jitter exponential back-off: the n-th wait is uniform in [0, min(cap, base * 2^n)]. The
 * randomness is getrandom(2)'s, so a thousand clones of one image don't wait in step.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	uint32_t base_ms, cap_ms;
	uint32_t attempt; /* waits handed out so far */
};

/* The policy for throttled services and shared servers; see docs/ARCHITECTURE.md "Waiting". */
#define BACKOFF_SERVICE                                                                            \
	{                                                                                          \
		.base_ms = 1000, .cap_ms = 20000                                                   \
	}
/* Transient faults of the metadata service and of one connection. */
#define BACKOFF_LOCAL                                                                              \
	{                                                                                          \
		.base_ms = 100, .cap_ms = 5000                                                     \
	}

uint32_t backoff_next_ms(struct backoff *b);

/* Waits the next back-off or `at_least_ms` (a server's Retry-After), whichever is longer; false
 * when the deadline would pass first, and then it doesn't wait at all. */
bool backoff_wait(struct backoff *b, uint32_t at_least_ms, uint64_t deadline);
