/* SPDX-License-Identifier: Apache-2.0 */
/* Waits before a request is sent again, and logs why. */
#include "cloud/retry.h"

#include "base/clock.h"
#include "base/log.h"

void retry_log(uint32_t ms, const char *doing, unsigned tries, const struct err *why)
{
	log_debug("%s: try %u in %u ms: %s", doing, tries + 1, ms, why->text);
}

bool retry_wait(struct backoff *b, uint32_t at_least_ms, uint64_t deadline, const char *doing,
                unsigned tries, const struct err *why)
{
	uint32_t ms = backoff_next_ms(b);

	if (ms < at_least_ms)
		ms = at_least_ms;
	if (clock_in_ms(ms) >= deadline)
		return false;
	retry_log(ms, doing, tries, why);
	return clock_sleep_ms(ms, deadline);
}
