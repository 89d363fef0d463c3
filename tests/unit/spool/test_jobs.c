/* SPDX-License-Identifier: Apache-2.0 */
/* Slurm's file of jobs, in the forms of its releases. */
#include "spool/jobs.h"

#include "unit.h"

static struct arena *arena;
static struct err e;
static struct jobs jobs;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static int read_jobs(const char *text)
{
	return jobs_read((struct blob){text, strlen(text)}, arena, &jobs, &e);
}

static void each_release_is_understood(void **state)
{
	(void)state;
	assert_ok(read_jobs(
	        "{\"all_nodes\":\"q-[1-3]\",\"jobs\":[{\"job_id\":7,\"nodes\":\"q-[1-2]\"},"
	        "{\"job_id\":8,\"nodes\":\"q-3\"}]}"));
	assert_int_equal(jobs.n, 2);
	assert_string_equal(jobs.items[0].id, "7");
	assert_int_equal(jobs.items[0].nodes.n, 2);
	assert_string_equal(jobs.items[1].nodes.names[0], "q-3");
	assert_ok(
	        read_jobs("{\"all_nodes_resume\":\"q-1\",\"jobs\":[{\"job_id\":9,\"features\":null,"
	                  "\"nodes_alloc\":\"q-[1-4]\",\"nodes_resume\":\"q-1\"},"
	                  "{\"job_id\":10,\"nodes_alloc\":\"q-5\",\"nodes_resume\":\"\"}]}"));
	assert_int_equal(jobs.n, 1);
	assert_string_equal(jobs.items[0].id, "9");
	assert_int_equal(jobs.items[0].nodes.n, 1);
}

static void without_jobs_there_are_none(void **state)
{
	static const char *const texts[] = {"",
	                                    "{}",
	                                    "{\"jobs\":null}",
	                                    "{\"jobs\":[]}",
	                                    "{\"jobs\":[{}]}",
	                                    "{\"jobs\":[{\"nodes\":\"a\"}]}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		jobs.n = 5;
		assert_ok(read_jobs(texts[i]));
		assert_int_equal(jobs.n, 0);
	}
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	jobs.n = 5;
	assert_err(read_jobs("{"), ERR_INPUT, "SLURM_RESUME_FILE");
	assert_err(read_jobs("{\"jobs\":{\"a\":1}}"), ERR_INPUT,
	           "jobs: expected a list, found map");
	assert_err(read_jobs("{\"jobs\":[{\"job_id\":1,\"nodes\":\"a[\"}]}"), ERR_INPUT, "'a['");
	assert_int_equal(jobs.n, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(each_release_is_understood, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(without_jobs_there_are_none, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_is_none_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
