/* SPDX-License-Identifier: Apache-2.0 */
/* Waits before a request is sent again, and logs why. */
#include "http/retry.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

#define SHORT_TRY_MS 1000

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

bool retry_cut_short(const struct err *why, uint64_t left_ms)
{
	return why->kind == ERR_DEADLINE || (why->no == ETIMEDOUT && left_ms < SHORT_TRY_MS);
}
