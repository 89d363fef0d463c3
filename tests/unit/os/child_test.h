/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of child.c share: one child under a deadline. */
#pragma once

#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "unit.h"

#define GUARD_MS 60000

static struct arena *a;
static struct err e;
static struct child_end end;
static struct shared {
	long number[8];
} * shared;

static inline int setup(void **state)
{
	(void)state;
	a = arena_new();
	shared = child_share(sizeof *shared);
	assert_non_null(shared);
	for (size_t i = 0; i < ARRAY_LEN(shared->number); i++)
		assert_int_equal(shared->number[i], 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	child_unshare(shared, sizeof *shared);
	arena_close(a);
	return 0;
}

static inline int run_until(int (*what)(void *ctx), uint64_t deadline)
{
	const struct child_spec spec = {
	        .main = what, .in = -1, .out_max = 10, .err_max = 10, .deadline = deadline};

	e = (struct err){0};
	end = (struct child_end){0};
	return child_run(&spec, a, &end, &e);
}

static inline int run(int (*what)(void *ctx))
{
	return run_until(what, clock_in_ms(GUARD_MS));
}

static inline void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

/* ---- how it ends ---- */

static inline int exit_seven(void *ctx)
{
	(void)ctx;
	return 7;
}
