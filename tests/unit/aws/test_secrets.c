/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of aws/secrets. */
#include "service.h"

#include "aws/secrets.h"
#include "wipes.h"

#define TYPE "Content-Type: application/x-amz-json-1.1\r\n"
#define ARN  "arn:aws:secretsmanager:eu-south-2:123456789012:secret:munge-AbCdEf"

static int parse(const char *json, struct secret *ret)
{
	return secrets_parse((struct blob){json, strlen(json)}, ret, &e);
}

static void test_both_forms(void **state)
{
	scope_secret struct secret got = {0};

	(void)state;
	assert_ok(parse("{\"ARN\":\"x\",\"CreatedDate\":1.5E9,\"SecretString\":\"a\\u00fcb\"}",
	                &got));
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.data,
	                    "a\xc3\xbc"
	                    "b",
	                    5);
	assert_ok(parse("{\"SecretBinary\":\"AAEC/w==\",\"SecretString\":null}", &got));
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.data, "\0\1\2\xff", 5);
	assert_ok(parse("{\"SecretString\":\"\"}", &got));
	assert_int_equal(got.len, 0);
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
	scope_secret struct secret got = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_err(parse(rows[i], &got), ERR_DENIED, "the answer");
	assert_int_equal(got.len, 0);
}

static void test_too_large(void **state)
{
	static char json[SECRET_MAX + 100];
	scope_secret struct secret got = {0};

	(void)state;
	snprintf(json, sizeof json, "{\"SecretString\":\"%0*d\"}", SECRET_MAX, 0);
	assert_ok(parse(json, &got));
	assert_int_equal(got.len, SECRET_MAX);
	snprintf(json, sizeof json, "{\"SecretString\":\"%0*d\"}", SECRET_MAX + 1, 0);
	assert_err(parse(json, &got), ERR_DENIED, "too large");
}

/* ---- asking the service ---- */

static int get(const char *id, struct secret *ret)
{
	e = (struct err){0};
	return secrets_get(c, id, ret, soon(), &e);
}

static void a_secret_is_read_in_its_region(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, TYPE, "{\"SecretString\":\"tell-nobody-of-this\"}"}, {0}};
	struct secret secret = {0};
	const char *sent;

	(void)state;
	begin(rows);
	assert_ok(get("munge", &secret));
	assert_int_equal(secret.len, 19);
	assert_string_equal(secret.data, "tell-nobody-of-this");
	sent = script_last(&s, "POST / ");
	assert_non_null(strstr(sent, "X-Amz-Target: secretsmanager.GetSecretValue\r\n"));
	assert_non_null(strstr(sent, "Content-Type: application/x-amz-json-1.1\r\n"));
	assert_non_null(strstr(sent, "/eu-west-1/secretsmanager/aws4_request"));
	assert_non_null(strstr(sent, "\r\n\r\n{\"SecretId\":\"munge\"}"));
	assert_ok(get(ARN, &secret));
	sent = script_last(&s, "POST / ");
	assert_non_null(strstr(sent, "/eu-south-2/secretsmanager/aws4_request"));
	assert_non_null(strstr(sent, "\r\n\r\n{\"SecretId\":\"" ARN "\"}"));
	secret_close(&secret);
}

/* The answer, the parsed document and the copy that is given away. */
static void it_leaves_no_copy(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, TYPE, "{\"SecretString\":\"tell-nobody-of-this\"}"}, {0}};
	struct secret secret = {0};

	(void)state;
	begin(rows);
	wipes_of("tell-nobody-of-this");
	assert_ok(get("munge", &secret));
	int during = wipes.seen;
	assert_in_range(during, 4, 6);
	secret_close(&secret);
	assert_int_equal(wipes.seen, during + 1);
	wipes_of(NULL);
}

static void names_that_are_none(void **state)
{
	static const char *const bad[] = {"", "a b", "a\"b", "a\\b", "a\x7f", "a\n"};
	static const char *const arns[] = {
	        "arn:", "arn:aws:secretsmanager", "arn:aws:s3:eu-west-1:1:x",
	        "arn:aws:secretsmanager::1:secret:x", "arn:aws:secretsmanager:eu/west:1:secret:x"};
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, TYPE, "{\"SecretString\":\"s\"}"}, {0}};
	char longest[2050];
	struct secret secret = {.len = 3};

	(void)state;
	begin(rows);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(get(bad[i], &secret), ERR_INPUT, "isn't a secret's name or ARN");
		assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	}
	for (size_t i = 0; i < ARRAY_LEN(arns); i++) {
		assert_err(get(arns[i], &secret), ERR_INPUT,
		           "expected arn:PARTITION:secretsmanager:");
		assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	}
	assert_int_equal(s.shared->requests, 0);
	assert_int_equal(secret.len, 3);
	memset(longest, 'n', sizeof longest);
	longest[2049] = '\0';
	assert_err(get(longest, &secret), ERR_INPUT, "'nnn");
	assert_int_equal(s.shared->requests, 0);
	longest[2048] = '\0';
	assert_ok(get(longest, &secret));
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {400, "{\"__type\":\"AccessDeniedException\"}", ERR_DENIED, REASON_SECRET_DENIED},
	        {400, "{\"__type\":\"ResourceNotFoundException\"}", ERR_ABSENT,
	         REASON_SECRET_ABSENT},
	        {200, "{}", ERR_DENIED, REASON_HTTP_STATUS},
	        {200, "not JSON", ERR_DENIED, REASON_HTTP_STATUS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {"POST / ", 0, rows[i].status, TYPE, rows[i].body}, {0}};
		struct secret secret = {.len = 3};

		begin(script);
		assert_err(get("munge", &secret), rows[i].kind, "reading the secret 'munge'");
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
		assert_int_equal(secret.len, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_both_forms),
	        cmocka_unit_test(test_neither),
	        cmocka_unit_test(test_too_large),
	        TEST(a_secret_is_read_in_its_region),
	        TEST(it_leaves_no_copy),
	        TEST(names_that_are_none),
	        TEST(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
