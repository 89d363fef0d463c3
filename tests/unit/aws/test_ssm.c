/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: what is sent, and the kinds of refusals. */
#include "service.h"

#include "aws/ssm.h"

#define TYPE "Content-Type: application/x-amz-json-1.1\r\n"

static void a_parameter_is_written(void **state)
{
	static const struct script_row rows[] = {{"POST / ", 0, 200, TYPE, "{\"Version\":1}"}, {0}};
	const char *sent;

	(void)state;
	begin(rows);
	assert_ok(ssm_put_image(c, NULL, "/images/x", "ami-1", soon(), &e));
	sent = script_last(&s, "POST / ");
	assert_non_null(strstr(sent, "X-Amz-Target: AmazonSSM.PutParameter\r\n"));
	assert_non_null(strstr(sent, "/eu-west-1/ssm/aws4_request"));
	assert_non_null(strstr(sent,
	                       "{\"Name\":\"/images/x\",\"Value\":\"ami-1\",\"Type\":\"String\","
	                       "\"DataType\":\"aws:ec2:image\",\"Overwrite\":true}"));
	assert_ok(ssm_put_image(c, "us-east-1", "/images/x", "ami-1", soon(), &e));
	assert_non_null(strstr(script_last(&s, "POST / "), "/us-east-1/ssm/aws4_request"));
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {400, "{\"__type\":\"AccessDeniedException\"}", ERR_DENIED, REASON_AWS_DENIED},
	        {400, "{\"__type\":\"ValidationException\"}", ERR_DENIED, REASON_AWS_INVALID},
	        {400, "{\"__type\":\"TooManyUpdates\"}", ERR_RETRY, REASON_AWS_THROTTLED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {"POST / ", 0, rows[i].status, TYPE, rows[i].body}, {0}};

		begin(script);
		assert_err(ssm_put_image(c, NULL, "/images/x", "ami-1", clock_in_ms(15000), &e),
		           rows[i].kind, "writing the parameter '/images/x'");
		assert_int_equal(e.reason, rows[i].reason);
	}
}

static void names(void **state)
{
	static const char *const good[] = {"/a/b", "a", "a.b-c_9", "/a/aws"};
	static const char *const bad[] = {"",       "/",   "/a/",   "a b", "aws",
	                                  "/aws/x", "Ssm", "/SSMx", "a:b", "/a/\xc3"};
	char longest[1013];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(ssm_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(ssm_name_valid(bad[i]));
	memset(longest, 'n', sizeof longest);
	longest[1011] = '\0';
	assert_true(ssm_name_valid(longest));
	longest[1011] = 'n';
	longest[1012] = '\0';
	assert_false(ssm_name_valid(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_parameter_is_written),
	        TEST(refusals),
	        TEST(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
