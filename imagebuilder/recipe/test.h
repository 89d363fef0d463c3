/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests: programs that are run in the finished image, and what is expected of them.
 *
 *     tests:
 *       - {run: [slurmd, -V], expect: {stdout: "slurm 22.05"}}
 *       - {name: no compiler, run: [gcc], expect: {status: 127}}
 *
 * `run` is an argument list, no shell reads it. `status` defaults to 0; 127 also stands for a
 * program that isn't there. `stdout` and `stderr` are texts that must be contained.
 */
#pragma once

#include "data/field.h"
#include "host/host.h"

#define TEST_TIMEOUT_MS 60000

struct test {
	const char *name; /* the command, unless given */
	struct field_strings run;
	int64_t status;
	struct field_strings out, errout;
	uint64_t timeout_ms;
	const struct doc *at;
};

struct test_list {
	size_t n;
	struct test *items;
};

/* `list` may be NULL. */
int test_read(const struct doc *list, const struct vars *facts, struct arena *a,
              struct test_list *ret, struct err *e) ATTR_MUST_USE;

/*
 * Runs one. 0: as expected. Else ERR_HOST, REASON_HOST_COMMAND_FAILED with the recipe's place, the
 * expected and the actual result.
 */
int test_run(const struct test *t, struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;

extern const struct field test_fields[];
