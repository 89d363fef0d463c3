/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the metadata service share: one that answers by a table. */
#pragma once

#include "unit.h"

#include <errno.h>

#include "cloud/imds.h"
#include "script.h"

#define LIMIT_MS 20000
#define LATE     "meta-data/late"
#define PATH     "meta-data/mac"

static struct err e;
static struct script s;
static struct arena *a;
static struct http *http;
static struct imds *imds;
static struct imds_read one;

static inline int setup(void **state)
{
	(void)state;
	script_clock_fast(0);
	a = arena_new();
	http = http_new(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	script_clock_real();
	imds_read_close(&one);
	imds_close(imds);
	imds = NULL;
	http_close(http);
	arena_close(a);
	script_stop(&s);
	return 0;
}

static inline void begin(const struct script_row *rows)
{
	s = script_start(rows);
	assert_ok(imds_open(http, s.url, a, &imds, &e));
}

/* Reads one path; what became of it is in `one`. */
static inline int read_path(const char *path, size_t max, bool late)
{
	struct imds_read *list[] = {&one};

	imds_read_close(&one);
	e = (struct err){0};
	one = (struct imds_read){.path = path, .max = max, .late = late};
	return imds_read(imds, list, 1, clock_in_ms(LIMIT_MS), &e);
}
