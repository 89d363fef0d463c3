/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs are held though they were only requeued. */
#include "serve/held.h"

#include "unit.h"

static void only_requeued_jobs_without_priority(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct hostlist all = held_parse("7|0|BadConstraints|1   \n"
	                                 "8|0|BadConstraints|0\n"  /* never ran: its own fault */
	                                 "9|0|JobHeldUser|2\n"     /* somebody wanted that */
	                                 "10|5|BadConstraints|1\n" /* it is not held */
	                                 "squeue: error: no answer\n"
	                                 "\n"
	                                 "11|0|BadConstraints|\n"
	                                 "12|0|BadConstraints|3",
	                                 a);

	(void)state;
	assert_int_equal(all.n, 2);
	assert_string_equal(all.names[0], "7/1");
	assert_string_equal(all.names[1], "12/3");
	assert_int_equal(held_parse("", a).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_requeued_jobs_without_priority)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
