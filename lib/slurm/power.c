/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until a job's nodes are powered up. */
#include "slurm/power.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "slurm/slurm_client_own.h"

#define QUERY_MS       15000
#define FAILED_MAX     20 /* queries in a row; a slurmctld that restarts is back before that */
#define STATE_MAX      64
#define PAUSE_LEAST_MS 1000
#define PAUSE_MOST_MS  15000

/* sinfo(1), NODE STATE CODES: suffixes and words of a node that is not up, or does not respond. */
static bool is_waiting(const char *state)
{
	static const char *const words[] = {"power",      "POWER", "no_respond",
	                                    "NO_RESPOND", "unk",   "UNK"};

	if (strpbrk(state, "*~#%^"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(state, words[i]))
			return true;
	return false;
}

bool power_is_settled(const char *states)
{
	bool waiting = false;

	for (const char *line = states; *line;) {
		size_t len = strcspn(line, "\n");
		char state[STATE_MAX];

		snprintf(state, sizeof state, "%.*s", (int)len, line);
		if (strncasecmp(state, "down", 4) == 0)
			return true;
		waiting = waiting || is_waiting(state);
		line += len;
		line += *line == '\n';
	}
	return !waiting;
}

/* 1: settled; 0: not yet. */
static int look(struct host *h, const char *nodes, const char *const *env, uint64_t deadline,
                struct arena *a, struct err *e)
{
	const char *argv[] = {"sinfo", "--noheader", "--nodes", nodes, "--format=%T", NULL};
	const struct host_exec x = {
	        .argv = argv, .env = env, .deadline = clock_min(deadline, clock_in_ms(QUERY_MS))};
	struct host_result said;
	int r = host_run(h, &x, a, &said, e);

	if (r < 0)
		return r;
	if (said.status != 0)
		return slurm_complain(said.errout, "asking slurmctld", e);
	return power_is_settled(said.out.data);
}

/*
 * slurmctld runs one of us for each job, so a long array on nodes that are still off is a thousand of
 * us at once. Later questions are rarer, so that none is late by much more than a tenth of the wait:
 * after a minute a thousand ask some 300 times a second.
 */
static uint32_t longest_pause_ms(uint64_t began)
{
	uint64_t tenth = (clock_now() - began) / 10 / 1000000;

	if (tenth < PAUSE_LEAST_MS)
		return PAUSE_LEAST_MS;
	return tenth < PAUSE_MOST_MS ? (uint32_t)tenth : PAUSE_MOST_MS;
}

int power_wait(struct host *h, const char *nodes, const char *const *env, uint64_t deadline,
               struct err *e)
{
	struct backoff b = {.base_ms = 100};
	uint64_t began = clock_now();

	for (unsigned failed = 0;;) {
		scope_arena struct arena *a = arena_new();
		int r = look(h, nodes, env, deadline, a, e);

		if (r > 0)
			return 0;
		b.cap_ms = longest_pause_ms(began);
		failed = r < 0 ? failed + 1 : 0;
		if (failed == FAILED_MAX)
			return r;
		if (!backoff_wait(&b, 0, deadline))
			return r < 0 ? r
			             : err_set(e, ERR_RETRY, REASON_STEP_TIMEOUT, ETIMEDOUT,
			                       "waiting for nodes '%s' to power up: no time is left",
			                       nodes);
	}
}
