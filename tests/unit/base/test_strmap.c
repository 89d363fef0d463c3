/* SPDX-License-Identifier: Apache-2.0 */
/* Strings to pointers. */
#include "unit.h"

#include "base/strmap.h"

static void what_was_put_is_found(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strmap m = {.arena = a};

	(void)state;
	assert_null(strmap_get(&m, "a"));
	assert_int_equal(strmap_at(&m, "a"), SIZE_MAX);
	for (size_t i = 0; i < 5000; i++)
		strmap_put_at(&m, arena_printf(a, "node-%zu", i), i);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(strmap_at(&m, arena_printf(a, "node-%zu", i)), i);
	assert_false(strmap_has(&m, "node-5000"));
	assert_false(strmap_has(&m, ""));
	/* The newest value counts, and nothing is there twice. */
	for (size_t i = 0; i < 5000; i++)
		strmap_put_at(&m, arena_printf(a, "node-%zu", i), 2 * i);
	assert_int_equal(m.n, 5000);
	assert_int_equal(strmap_at(&m, "node-7"), 14);
	assert_true(m.cap <= 16384);
}

static void a_set_has_its_keys(void **state)
{
	static const char *const keys[] = {"x", "y", "x"};
	scope_arena struct arena *a = arena_new();
	struct strmap m = {.arena = a};

	(void)state;
	strmap_add_all(&m, keys, 3);
	assert_true(strmap_has(&m, "x") && strmap_has(&m, "y") && !strmap_has(&m, "z"));
	assert_int_equal(m.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_was_put_is_found),
	        cmocka_unit_test(a_set_has_its_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
