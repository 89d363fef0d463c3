/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of Slurm, as people and slurmctld write them. */
#include <errno.h>

#include "model/slurmver.h"
#include "unit.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned version;
	} rows[] = {
	        {"22.05", 0, 2205},         {"24.11.5", 0, 2411},
	        {"slurm 25.11.8", 0, 2511}, {"slurm-wlm 22.05.8", 0, 2205},
	        {"22.05.11-1", -EINVAL, 7}, {"21.08.8", -ERANGE, 7},
	        {"22.5", -EINVAL, 7},       {"22.05.", -EINVAL, 7},
	        {"slurm", -EINVAL, 7},      {"", -EINVAL, 7},
	        {"2205", -EINVAL, 7},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned version = 7;

		print_message("[%zu] %s\n", i, rows[i].text);
		assert_int_equal(slurmver_parse(rows[i].text, &version), rows[i].r);
		assert_int_equal(version, rows[i].version);
	}
}

static void test_name(void **state)
{
	char name[8];

	(void)state;
	assert_string_equal(slurmver_name(2205, name), "22.05");
	assert_string_equal(slurmver_name(2511, name), "25.11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse),
	                                   cmocka_unit_test(test_name)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
