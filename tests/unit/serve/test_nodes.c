/* SPDX-License-Identifier: Apache-2.0 */
/* What sinfo prints of nodes, and what their states mean. */
#include "serve/nodes.h"

#include "unit.h"

static void each_node_is_read_once(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct nodes all;

	(void)state;
	nodes_parse(
	        "b-1|idle~|none\na-1|down*|hpc-fleet: Insufficient|x\nb-1|idle~|none\nc|idle|\n", a,
	        &all);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.items[0].name, "a-1");
	assert_string_equal(all.items[0].state, "down*");
	assert_string_equal(all.items[0].reason, "hpc-fleet: Insufficient|x");
	assert_string_equal(all.items[1].name, "b-1");
	assert_string_equal(all.items[2].name, "c");
	assert_string_equal(all.items[2].reason, "");
	nodes_parse("", a, &all);
	assert_int_equal(all.n, 0);
	/* What is no node. */
	nodes_parse("sinfo: error: no answer\nb|idle\nc|idle|\n\n", a, &all);
	assert_int_equal(all.n, 1);
	assert_string_equal(all.items[0].name, "c");
}

static void states_by_their_suffixes(void **state)
{
	static const struct {
		const char *state;
		bool off, resuming, down;
	} rows[] = {
	        {"idle", false, false, false},          {"idle~", true, false, false},
	        {"allocated#", false, true, false},     {"idle%", false, false, false},
	        {"down", false, false, true},           {"down~", true, false, true},
	        {"down#", false, true, true},           {"DOWN*", false, false, true},
	        {"powered_down", true, false, false},   {"powering_up", false, true, false},
	        {"powering_down", false, false, false}, {"", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(nodes_is_off(rows[i].state), rows[i].off);
		assert_int_equal(nodes_is_resuming(rows[i].state), rows[i].resuming);
		assert_int_equal(nodes_is_down(rows[i].state), rows[i].down);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_node_is_read_once),
	        cmocka_unit_test(states_by_their_suffixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
