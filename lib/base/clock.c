/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks, and waiting on them. */
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static struct clock_fake *fake;

void clock_set_fake(struct clock_fake *f)
{
	fake = f;
}

uint64_t clock_now(void)
{
	struct timespec t;

	if (fake)
		return fake->now_ns;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

time_t clock_wall(void)
{
	if (!fake)
		return time(NULL);
	return fake->wall + (fake->together ? (time_t)(fake->now_ns / NS_PER_S) : 0);
}

uint64_t clock_in_ms(uint64_t ms)
{
	uint64_t ns, at;

	if (__builtin_mul_overflow(ms, NS_PER_MS, &ns) ||
	    __builtin_add_overflow(clock_now(), ns, &at))
		return CLOCK_NEVER;
	return at;
}

uint64_t clock_left_ms(uint64_t deadline)
{
	uint64_t now = clock_now();

	if (deadline == CLOCK_NEVER)
		return UINT64_MAX;
	if (deadline <= now)
		return 0;
	return (deadline - now - 1) / NS_PER_MS + 1;
}

bool clock_sleep_ms(uint64_t ms, uint64_t deadline)
{
	uint64_t until = clock_in_ms(ms);
	bool cut = deadline < until;
	uint64_t end = cut ? deadline : until;

	if (fake) {
		fake->now_ns = end > fake->now_ns ? end : fake->now_ns;
		return !cut;
	}
	struct timespec t = {.tv_sec = (time_t)(end / NS_PER_S), .tv_nsec = (long)(end % NS_PER_S)};
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	return !cut;
}

int clock_poll(struct pollfd *fds, nfds_t n, uint64_t until)
{
	uint64_t left = clock_left_ms(until);
	int r;

	if (!fake || until == CLOCK_NEVER)
		return poll(fds, n,
		            until == CLOCK_NEVER ? -1 : (int)(left < INT_MAX ? left : INT_MAX));
	r = poll(fds, n, 0);
	if (r == 0 && until > fake->now_ns)
		fake->now_ns = until;
	return r;
}

void clock_rfc3339(time_t t, char out[static 21])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
