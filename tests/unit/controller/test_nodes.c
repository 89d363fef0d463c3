/* SPDX-License-Identifier: Apache-2.0 */
/* What sinfo prints of nodes, and what their states mean. */
#include "controller/nodes.h"

#include "unit.h"

static void each_node_is_read_once(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct nodes all;

	(void)state;
	nodes_parse("b-1|idle+cloud|(null)   |none  \n"
	            "a-1|down+cloud|hpc-agent: x  |hpc-fleet: Insufficient|x   \n"
	            "b-1|idle+cloud|(null)|none\nc|idle||\n",
	            a, &all);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.items[0].name, "a-1");
	assert_string_equal(all.items[0].state, "down+cloud");
	assert_string_equal(all.items[0].comment, "hpc-agent: x");
	assert_string_equal(all.items[0].reason, "hpc-fleet: Insufficient|x");
	assert_string_equal(all.items[1].name, "b-1");
	assert_string_equal(all.items[1].comment, "");
	assert_string_equal(all.items[1].reason, "");
	assert_string_equal(all.items[2].name, "c");
	assert_string_equal(all.items[2].reason, "");
	nodes_parse("", a, &all);
	assert_int_equal(all.n, 0);
	/* What is no node. */
	nodes_parse("sinfo: error: no answer\nb|idle|x\nc|idle||\n\n", a, &all);
	assert_int_equal(all.n, 1);
	assert_string_equal(all.items[0].name, "c");
}

static void states_by_their_words(void **state)
{
	static const struct {
		const char *state;
		bool off, resuming, down, ending, kept;
	} rows[] = {
	        {"idle", false, false, false, false, false},
	        {"idle+cloud+powered_down", true, false, false, false, false},
	        {"allocated+cloud+not_responding+powering_up", false, true, false, false, false},
	        {"idle+powering_down", false, false, false, true, false},
	        {"idle+power_down", false, false, false, true, false},
	        {"down", false, false, true, false, false},
	        {"down+cloud+powered_down", true, false, true, false, false},
	        {"down+powering_up", false, true, true, false, false},
	        {"DOWN+CLOUD", false, false, true, false, false},
	        {"IDLE+CLOUD+POWERED_DOWN", true, false, false, false, false},
	        {"idle+cloud+drain", false, false, false, false, true},
	        {"allocated+maintenance+reserved+powering_up", false, true, false, false, true},
	        {"MIXED+DRAIN+REBOOT_REQUESTED", false, false, false, false, true},
	        {"down+reboot_issued", false, false, true, false, true},
	        {"", false, false, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(nodes_is_off(rows[i].state), rows[i].off);
		assert_int_equal(nodes_is_resuming(rows[i].state), rows[i].resuming);
		assert_int_equal(nodes_is_down(rows[i].state), rows[i].down);
		assert_int_equal(nodes_is_ending(rows[i].state), rows[i].ending);
		assert_int_equal(nodes_is_kept(rows[i].state), rows[i].kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_node_is_read_once),
	        cmocka_unit_test(states_by_their_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
