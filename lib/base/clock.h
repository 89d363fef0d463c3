/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Deadlines are absolute nanoseconds of CLOCK_BOOTTIME, which no one sets and which counts
 * through suspend; they are named `deadline` and passed down, each layer taking min(own, given).
 * Tests may set the clock; nothing else may.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER UINT64_MAX

uint64_t clock_now(void); /* ns since boot */
time_t clock_wall(void);  /* seconds since 1970, as the machine believes */

static inline uint64_t clock_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
uint64_t clock_in_ms(uint64_t ms);         /* the deadline that many milliseconds from now */
uint64_t clock_left_ms(uint64_t deadline); /* 0 when passed; rounded up */
static inline bool clock_passed(uint64_t deadline)
{
	return clock_now() >= deadline;
}

/* Sleeps until min(ms from now, deadline); returns false when the deadline is what ended it. */
bool clock_sleep_ms(uint64_t ms, uint64_t deadline);

/* poll(2) until then. By a test's clock it doesn't wait, and where nothing is ready the clock moves. */
int clock_poll(struct pollfd *fds, nfds_t n, uint64_t until);

/* UTC "2026-01-31T12:00:00Z" (RFC 3339). */
void clock_rfc3339(time_t t, char out[static 21]);

/* For tests: from now on clock_now/clock_wall return these; NULL restores the machine's clocks. */
struct clock_fake {
	uint64_t now_ns;
	time_t wall;
	bool together; /* the wall's moves with it, and was `wall` when now_ns was 0 */
};
void clock_set_fake(struct clock_fake *fake);
