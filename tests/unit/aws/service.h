/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of services share: a scripted service and a handle with keys for it. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "cloud/cloud.h"
#include "script.h"

#define WALL     1767225600
#define LIMIT_MS 60000

static struct err e;
static struct script s;
static struct arena *a;
static struct cloud *c;

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	a = arena_new();
	return 0;
}

static void end(void)
{
	cloud_close(c);
	c = NULL;
	script_stop(&s);
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	end();
	arena_close(a);
	return 0;
}

/* Whatever there was ends; from now on `rows` answer. */
static void begin(const struct script_row *rows)
{
	end();
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url,
	                                      .endpoint = s.url,
	                                      .region = "eu-west-1",
	                                      .access_key = "AKIAFIXED",
	                                      .secret_key = "secret"});
	e = (struct err){0};
}

/* The deadline of one call. */
static inline uint64_t soon(void)
{
	return clock_in_ms(LIMIT_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
