/* SPDX-License-Identifier: Apache-2.0 */
/* The list of an input's faults. */
#include <errno.h>

#include "base/str.h"
#include "data/faults.h"
#include "unit.h"

static void test_without_a_list_the_first_is_the_last(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "a");
	assert_false(faults_add(NULL, &e));
}

static void test_once_and_in_order(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults f = {.arena = a};
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "a");
	assert_true(faults_add(&f, &e));
	assert_true(faults_add(&f, &e));
	err_set(&e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL, "b");
	assert_true(faults_add(&f, &e));
	assert_int_equal(f.n, 2);
	assert_string_equal(f.items[0].text, "a");
	assert_string_equal(f.items[1].text, "b");
	assert_int_equal(f.items[1].reason, REASON_INPUT_RANGE);
}

/* What isn't the input's fault ends the search, the first time and again. */
static void test_other_kinds_end_it(void **state)
{
	static const enum err_kind kinds[] = {ERR_DENIED,    ERR_ABSENT, ERR_RETRY,
	                                      ERR_INTEGRITY, ERR_HOST,   ERR_BUG};
	scope_arena struct arena *a = arena_new();
	struct faults f = {.arena = a};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		err_set(&e, kinds[i], REASON_BUG, EIO, "x");
		assert_false(faults_add(&f, &e));
		assert_false(faults_add(&f, &e));
		assert_int_equal(f.n, i + 1);
	}
}

static void test_a_walk_ends_where_no_more_are_wanted(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults f = {.arena = a};
	struct err e = {0};
	struct faults_walk all = {.faults = &f, .err = &e}, first = {.err = &e};

	(void)state;
	faults_take(&all, err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "a"));
	faults_take(&all, err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, ERANGE, "b"));
	assert_false(all.ended);
	assert_int_equal(all.failed, -ERANGE);
	assert_int_equal(f.n, 2);
	faults_take(&all, err_set(&e, ERR_HOST, REASON_BUG, EIO, "c"));
	assert_true(all.ended);
	faults_take(&first, err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "a"));
	assert_true(first.ended);
	assert_int_equal(first.failed, -EINVAL);
}

static void test_ceiling(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults f = {.arena = a};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < FAULTS_MAX; i++) {
		err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "%d", i);
		assert_true(faults_add(&f, &e));
	}
	assert_false(f.more);
	assert_true(faults_add(&f, &e));
	assert_false(f.more);
	err_set(&e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "one more");
	assert_false(faults_add(&f, &e));
	assert_true(f.more);
	assert_int_equal(f.n, FAULTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_without_a_list_the_first_is_the_last),
	        cmocka_unit_test(test_once_and_in_order),
	        cmocka_unit_test(test_other_kinds_end_it),
	        cmocka_unit_test(test_a_walk_ends_where_no_more_are_wanted),
	        cmocka_unit_test(test_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
