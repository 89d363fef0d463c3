/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of services share: a scripted service and a handle with keys for it. */
#pragma once

#include "scripted.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"

#define WALL     1767225600
#define LIMIT_MS 60000

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	a = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	scripted_end();
	arena_close(a);
	return 0;
}

/* Whatever there was ends; from now on `rows` answer. */
static void begin(const struct script_row *rows)
{
	scripted_begin(rows, (struct cloud_config){.region = "eu-west-1",
	                                           .access_key = "AKIAFIXED",
	                                           .secret_key = "secret"});
}

/* The deadline of one call. */
static inline uint64_t soon(void)
{
	return clock_in_ms(LIMIT_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
