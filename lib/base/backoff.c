/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try. */
#include "base/backoff.h"

#include <sys/random.h>

#include "base/clock.h"

uint32_t backoff_next_ms(struct backoff *b)
{
	uint64_t top = b->base_ms;
	uint32_t random = 0;

	for (uint32_t i = 0; i < b->attempt && top < b->cap_ms; i++)
		top *= 2;
	if (top > b->cap_ms)
		top = b->cap_ms;
	b->attempt++;
	/* getrandom of 4 bytes after boot can't fail; before the pool is ready 0 ms is a fair wait.
	 */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	return (uint32_t)((uint64_t)random * (top + 1) >> 32);
}

bool backoff_wait(struct backoff *b, uint32_t at_least_ms, uint64_t deadline)
{
	uint32_t ms = backoff_next_ms(b);

	if (ms < at_least_ms)
		ms = at_least_ms;
	if (clock_in_ms(ms) >= deadline)
		return false;
	return clock_sleep_ms(ms, deadline);
}
