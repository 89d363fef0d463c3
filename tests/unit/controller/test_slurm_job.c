/* SPDX-License-Identifier: Apache-2.0 */
/* What scontrol prints of jobs. */
#include "controller/slurm_job.h"

#include "unit.h"

static void a_job_is_read_from_its_lines(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct slurm_jobs all;

	(void)state;
	slurm_job_parse("JobId=7 JobName=x\n"
	                "   UserId=u1(1000) GroupId=u1(1000) MCS_label=N/A\n"
	                "   JobState=PENDING Reason=BeginTime Dependency=(null)\n"
	                "   Partition=q AllocNode:Sid=head:1\n"
	                "   ReqNodeList=(null) ExcNodeList=(null)\n"
	                "   NodeList=(null)\n"
	                "   Comment=my Partition=none of it\n"
	                "   AdminComment=hpc-fleet: x: y in z (request r) \n"
	                "   StdErr=/home/u1/slurm-7.out\n"
	                "\n"
	                "JobId=8 ArrayJobId=7 ArrayTaskId=1 JobName=x\n"
	                "   JobState=RUNNING Reason=None Dependency=(null)\n"
	                "   NodeList=q-dy-a-[1-2]\n",
	                a, &all);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.items[0].id, "7");
	assert_string_equal(all.items[0].state, "PENDING");
	assert_string_equal(all.items[0].reason, "BeginTime");
	assert_string_equal(all.items[0].partition, "q");
	assert_null(all.items[0].nodes);
	assert_string_equal(all.items[0].comment, "hpc-fleet: x: y in z (request r) ");
	assert_string_equal(all.items[1].id, "8");
	assert_string_equal(all.items[1].nodes, "q-dy-a-[1-2]");
	assert_null(all.items[1].comment);
	slurm_job_parse("slurm_load_jobs error: Invalid job id specified\n", a, &all);
	assert_int_equal(all.n, 0);
	slurm_job_parse("", a, &all);
	assert_int_equal(all.n, 0);
}

static void words_that_name_jobs(void **state)
{
	static const struct {
		const char *word;
		bool is;
	} rows[] = {
	        {"7", true},    {"71_3", true}, {"7+1", true},  {"", false},         {"7_", false},
	        {"7_x", false}, {"_7", false},  {"7-1", false}, {"q-dy-a-1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(slurm_job_is_id(rows[i].word), rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_job_is_read_from_its_lines),
	        cmocka_unit_test(words_that_name_jobs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
