/* SPDX-License-Identifier: Apache-2.0 */
/* Which states of a job's nodes are worth waiting for. */
#include "unit.h"

#include "slurm/power.h"

static void states(void **state)
{
	static const struct {
		const char *said;
		bool settled;
	} cases[] = {
	        {"allocated\n", true},
	        {"allocated\nmixed\n", true},
	        {"", true},
	        {"allocated#\n", false},
	        {"allocated~\n", false},
	        {"allocated*\n", false},
	        {"idle%\n", false},
	        {"reboot^\n", false},
	        {"allocated\nallocated#\n", false},
	        {"allocated#\nallocated", false},
	        {"powering_up\n", false},
	        {"POWERED_DOWN\n", false},
	        {"powering_down\n", false},
	        {"unknown\n", false},
	        {"unk*\n", false},
	        {"down*\n", true},
	        {"down~\n", true},
	        {"allocated#\ndown*\n", true},
	        {"draining\n", true},
	        {"draining*\n", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (power_is_settled(cases[i].said) != cases[i].settled)
			fail_msg("'%s'", cases[i].said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(states)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
