/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a session share: a metadata service of a role that answers by a table. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "cloud/session.h"
#include "script.h"

#define WALL     1767225600 /* 2026-01-01, what SCRIPT_DATE says */
#define LIMIT_MS 60000
#define NS_PER_S 1000000000ull
#define NEWER    SCRIPT_KEYS("ASIANEWER", "2026-01-01T12:00:00Z")

static struct err e;
static struct script s;
static struct cloud *c;

static inline int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	script_clock_real();
	cloud_close(c);
	c = NULL;
	script_stop(&s);
	return 0;
}

static inline void begin(const struct script_row *rows, const char *region)
{
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url, .region = region});
}

static inline int need(unsigned what)
{
	e = (struct err){0};
	return session_need(c, what, clock_in_ms(LIMIT_MS), &e);
}

static const struct script_row renewing[] = {
        SCRIPT_TOKEN,
        SCRIPT_ROLE,
        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE, SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z"),
         0, 0},
        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE, NEWER},
        {0},
};
