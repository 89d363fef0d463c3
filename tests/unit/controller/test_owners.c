/* SPDX-License-Identifier: Apache-2.0 */
/* Whose jobs are: what squeue prints. */
#include "unit.h"

#include "controller/owners.h"

static void each_job_gets_its_owner(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct jobs_item items[] = {{.id = "7"}, {.id = "8"}, {.id = "9"}, {.id = "10"}};
	const struct jobs jobs = {4, items};
	struct ledger_owner got[4];

	(void)state;
	owners_parse("8|u1|lab\n7|u2|\n70|u3|x\nslurm_load_jobs error: x\n|\n10", &jobs, got, a);
	assert_string_equal(got[0].job, "7");
	assert_string_equal(got[0].user, "u2");
	assert_null(got[0].account);
	assert_string_equal(got[1].user, "u1");
	assert_string_equal(got[1].account, "lab");
	assert_string_equal(got[2].job, "9");
	assert_null(got[2].user);
	assert_null(got[3].user);
	assert_true(owners_same(&got[2], &got[3]));
	assert_false(owners_same(&got[0], &got[1]));
	assert_false(owners_same(&got[0], &got[2]));
	struct ledger_owner copy = owners_copy(&got[1], a);
	assert_true(owners_same(&copy, &got[1]));
	assert_string_equal(copy.job, "8");
	owners_parse("", &jobs, got, a);
	assert_null(got[1].user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_job_gets_its_owner)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
