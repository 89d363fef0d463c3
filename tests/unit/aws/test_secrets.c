/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of aws/secrets. */
#include "unit.h"

#include "aws/secrets.h"

static struct err e;

static int parse(const char *json, struct secret *s)
{
	return secrets_parse((struct blob){json, strlen(json)}, s, &e);
}

static void test_both_forms(void **state)
{
	scope_secret struct secret s = {0};

	(void)state;
	assert_ok(
	        parse("{\"ARN\":\"x\",\"CreatedDate\":1.5E9,\"SecretString\":\"a\\u00fcb\"}", &s));
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.data,
	                    "a\xc3\xbc"
	                    "b",
	                    5);
	assert_ok(parse("{\"SecretBinary\":\"AAEC/w==\",\"SecretString\":null}", &s));
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.data, "\0\1\2\xff", 5);
	assert_ok(parse("{\"SecretString\":\"\"}", &s));
	assert_int_equal(s.len, 0);
}

static void test_neither(void **state)
{
	static const char *const rows[] = {"",
	                                   "[]",
	                                   "{}",
	                                   "{\"SecretString\":7}",
	                                   "{\"SecretBinary\":\"%%\"}",
	                                   "{\"SecretBinary\":[]}",
	                                   "{\"SecretString\":\"a\",\"SecretString\":\"b\"}"};
	scope_secret struct secret s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_err(parse(rows[i], &s), ERR_DENIED, "the answer");
	assert_int_equal(s.len, 0);
}

static void test_too_large(void **state)
{
	static char json[SECRET_MAX + 100];
	scope_secret struct secret s = {0};

	(void)state;
	snprintf(json, sizeof json, "{\"SecretString\":\"%0*d\"}", SECRET_MAX, 0);
	assert_ok(parse(json, &s));
	assert_int_equal(s.len, SECRET_MAX);
	snprintf(json, sizeof json, "{\"SecretString\":\"%0*d\"}", SECRET_MAX + 1, 0);
	assert_err(parse(json, &s), ERR_DENIED, "too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_both_forms),
	        cmocka_unit_test(test_neither),
	        cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
