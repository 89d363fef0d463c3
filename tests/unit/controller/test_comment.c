/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs squeue lists. */
#include "controller/comment.h"

#include "unit.h"

static void only_numbers_are_jobs(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct comment_jobs all = comment_parse("7\n12\nslurm_load_jobs error: x\n\n1_2\n130", a);

	(void)state;
	assert_int_equal(all.n, 3);
	assert_string_equal(all.ids[0], "7");
	assert_string_equal(all.ids[1], "12");
	assert_string_equal(all.ids[2], "130");
	assert_int_equal(comment_parse("", a).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_numbers_are_jobs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
