/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of change/rights: the action that a refusal names, and the statement for it. */
#include "unit.h"

#include "change/rights.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static void the_action_of_a_refusal(void **state)
{
	static const char *const rows[][2] = {
	        {"User: x is not authorized to perform: iam:CreateRole on resource: y",
	         "iam:CreateRole"},
	        {"AccessDenied; the credentials need cloudformation:CreateStack",
	         "cloudformation:CreateStack"},
	        {"to perform: ec2:RunInstances", "ec2:RunInstances"},
	        {"the credentials need s3:ListBucketVersions on the bucket and",
	         "s3:ListBucketVersions"},
	        {"not authorized to perform: shop:Buy", NULL},
	        {"not authorized to perform: ec2:", NULL},
	        {"ec2:RunInstances failed", NULL},
	        {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = rights_action(rows[i][0], arena);

		if (rows[i][1])
			assert_string_equal(found, rows[i][1]);
		else
			assert_null(found);
	}
}

static void the_statement_is_narrow_where_it_can_be(void **state)
{
	static const struct rights_place place = {"111122223333", "eu-west-1", "b", "c"},
	                                 china = {"111122223333", "cn-north-1", "b", "c"},
	                                 none = {0};
	static const struct {
		const char *action;
		const struct rights_place *place;
		const char *resource;
	} rows[] = {
	        {"cloudformation:CreateStack", &place,
	         "arn:aws:cloudformation:eu-west-1:111122223333:stack/c/*"},
	        {"cloudformation:DescribeStacks", &place, "*"},
	        {"cloudformation:DeleteStack", &china,
	         "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/c/*"},
	        {"cloudformation:CreateStack", &none, "arn:aws:cloudformation:*:*:stack/*/*"},
	        {"s3:PutObject", &place, "arn:aws:s3:::b/c/*"},
	        {"s3:CreateBucket", &place, "arn:aws:s3:::b"},
	        {"iam:CreateRole", &place, "arn:aws:iam::111122223333:*/c-*"},
	        {"ec2:DescribeSubnets", &place, "*"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
		        rights_statement(rows[i].action, rows[i].place, arena),
		        arena_printf(arena,
		                     "{\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"%s\"}",
		                     rows[i].action, rows[i].resource));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(the_action_of_a_refusal, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(the_statement_is_narrow_where_it_can_be, set_up,
	                                        tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
