/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/ident. */
#include "unit.h"

#include "store/ident.h"

static void test_uuid_is_a_function_of_seed_and_role(void **state)
{
	(void)state;
	char a[IDENT_UUID], b[IDENT_UUID];

	ident_uuid("seed", "root", a);
	ident_uuid("seed", "root", b);
	assert_string_equal(a, b);
	assert_string_equal(
	        a,
	        "f063ba87-338c-8d24-b8e4-6aa5c2eb0d68"); /* for ever: disks are made again with it */
	ident_uuid("seed", "esp", b);
	assert_string_equal(b, "27ebf611-52b3-8636-b9a3-bfd85c172752");
	assert_int_equal(strlen(a), 36);
	assert_int_equal(a[14], '8');
	assert_non_null(strchr("89ab", a[19]));
	ident_uuid("seed", "esp", b);
	assert_string_not_equal(a, b);
	ident_uuid("seedr", "oot", b);
	assert_string_not_equal(a, b);
}

static void test_volume_is_not_none(void **state)
{
	(void)state;
	assert_int_equal(ident_volume("s", "esp"), ident_volume("s", "esp"));
	assert_int_not_equal(ident_volume("s", "esp"), ident_volume("t", "esp"));
	assert_int_not_equal(ident_volume("s", "esp"), 0);
	assert_int_equal(ident_volume("seed", "root"), 0xf063ba87);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_uuid_is_a_function_of_seed_and_role),
	        cmocka_unit_test(test_volume_is_not_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
