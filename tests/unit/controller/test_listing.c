/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of controller/listing: all of what a program lists, or nothing. */
#include "controller/listing.h"

#include "unit.h"

static struct err e;

static void all_lines(void **state)
{
	static const char *const argv[] = {"seq", "1", "3", NULL};
	scope_arena struct arena *a = arena_new();
	const char *lines = NULL;

	(void)state;
	assert_ok(listing_read(argv, a, &lines, &e));
	assert_string_equal(lines, "1\n2\n3\n");
}

static void none(void **state)
{
	static const char *const argv[] = {"true", NULL}, *const failing[] = {"false", NULL};
	scope_arena struct arena *a = arena_new();
	const char *lines = NULL;

	(void)state;
	assert_ok(listing_read(argv, a, &lines, &e));
	assert_string_equal(lines, "");
	assert_int_not_equal(listing_read(failing, a, &lines, &e), 0);
}

/* Its last line would be half a number, which is another job's. */
static void too_long_a_list_is_none(void **state)
{
	static const char *const argv[] = {"seq", "1000000000", "1006200000", NULL};
	scope_arena struct arena *a = arena_new();
	const char *lines = NULL;

	(void)state;
	assert_err(listing_read(argv, a, &lines, &e), ERR_HOST, "longer than 64 MiB");
	assert_null(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_lines),
	        cmocka_unit_test(none),
	        cmocka_unit_test(too_long_a_list_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
