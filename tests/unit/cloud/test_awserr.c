/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cloud/awserr. */
#include "unit.h"

#include <stdlib.h>

#include "cloud/awserr.h"

#define WALL 1369353600

static void answer(struct http_exchange *x, int status, const char *body)
{
	free(x->trouble);
	*x = (struct http_exchange){.status = status, .trouble = calloc(1, sizeof *x->trouble)};
	x->trouble->len = strlen(body);
	memcpy(x->trouble->body, body, x->trouble->len);
}

static void test_tags(void **state)
{
	static const char xml[] =
	        "<?xml version=\"1.0\"?><Error><Code>A&amp;B&lt;&gt;&quot;&apos;&x;</Code>"
	        "<Empty></Empty><Long>0123456789</Long><Open>abc";
	struct blob b = {xml, sizeof xml - 1};
	char out[16];

	(void)state;
	assert_true(awserr_tag(b, "Code", out, sizeof out));
	assert_string_equal(out, "A&B<>\"'&x;");
	assert_true(awserr_tag(b, "Empty", out, sizeof out));
	assert_string_equal(out, "");
	assert_false(awserr_tag(b, "Long", out, 10));
	assert_string_equal(out, "012345678");
	assert_true(awserr_tag(b, "Long", out, 11));
	assert_string_equal(out, "0123456789");
	assert_false(awserr_tag(b, "Open", out, sizeof out));
	assert_false(awserr_tag(b, "Absent", out, sizeof out));
	assert_false(awserr_tag((struct blob){NULL, 0}, "Code", out, sizeof out));
}

static void test_only_the_first_8_kib_are_looked_at(void **state)
{
	static char xml[20000];
	char out[16];

	(void)state;
	memset(xml, 'x', sizeof xml);
	memcpy(xml + 9000, "<Code>A</Code>", 14);
	assert_false(awserr_tag((struct blob){xml, sizeof xml}, "Code", out, sizeof out));
	memcpy(xml + 8190, "<Code>A</Code>", 14);
	assert_false(awserr_tag((struct blob){xml, sizeof xml}, "Code", out, sizeof out));
	memset(xml, 'x', sizeof xml);
	memcpy(xml + 8192 - 7, "<Code>A</Code>", 14);
	assert_false(awserr_tag((struct blob){xml, sizeof xml}, "Code", out, sizeof out));
	memcpy(xml + 8192 - 8, "<Code>A</Code>", 14);
	assert_true(awserr_tag((struct blob){xml, sizeof xml}, "Code", out, sizeof out));
}

static void test_json(void **state)
{
	struct http_exchange x = {0};
	struct awserr ae;

	(void)state;
	answer(&x, 400,
	       "{\"__type\":\"com.amazonaws.secretsmanager#ResourceNotFoundException\","
	       "\"message\":\"no\"}");
	awserr_read(&x, &ae);
	assert_string_equal(ae.code, "ResourceNotFoundException");
	assert_string_equal(ae.message, "no");
	answer(&x, 400, "{\"Message\":\"M\"}");
	snprintf(x.error_type, sizeof x.error_type, "ThrottlingException:http://internal/");
	awserr_read(&x, &ae);
	assert_string_equal(ae.code, "ThrottlingException");
	assert_string_equal(ae.message, "M");
	answer(&x, 400, "{\"__type\":");
	awserr_read(&x, &ae);
	assert_string_equal(ae.code, "");
	free(x.trouble);
}

static void test_what_to_do(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum awserr_action action;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {404, "<Code>NoSuchKey</Code>", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY},
	        {404, "<Code>NoSuchBucket</Code>", AWSERR_FAIL, ERR_ABSENT,
	         REASON_S3_NO_SUCH_BUCKET},
	        {404, "", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY},
	        {403, "<Code>AccessDenied</Code>", AWSERR_FAIL, ERR_DENIED,
	         REASON_S3_ACCESS_DENIED},
	        {403, "", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED},
	        {403, "<Code>SignatureDoesNotMatch</Code>", AWSERR_FAIL, ERR_DENIED,
	         REASON_S3_SIGNATURE},
	        {403, "<Code>RequestTimeTooSkewed</Code>", AWSERR_SKEW, ERR_DENIED,
	         REASON_S3_CLOCK_SKEW},
	        {403, "<Code>InvalidAccessKeyId</Code>", AWSERR_CREDS, ERR_DENIED,
	         REASON_CREDENTIALS_REJECTED},
	        {400, "<Code>ExpiredToken</Code>", AWSERR_CREDS, ERR_DENIED,
	         REASON_CREDENTIALS_REJECTED},
	        {301, "<Code>PermanentRedirect</Code>", AWSERR_REGION, ERR_DENIED,
	         REASON_S3_WRONG_REGION},
	        {301, "", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION},
	        {400, "<Code>AuthorizationHeaderMalformed</Code><Region>eu-west-2</Region>",
	         AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION},
	        {307, "<Code>TemporaryRedirect</Code>", AWSERR_REDIRECT, ERR_DENIED,
	         REASON_HTTP_REDIRECT},
	        {302, "", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT},
	        {503, "<Code>SlowDown</Code>", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED},
	        {503, "", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED},
	        {429, "", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED},
	        {400, "{\"__type\":\"ThrottlingException\"}", AWSERR_THROTTLE, ERR_RETRY,
	         REASON_S3_THROTTLED},
	        {500, "<Code>InternalError</Code>", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {500, "<html>", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {502, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {504, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {400, "<Code>RequestTimeout</Code>", AWSERR_RETRY, ERR_RETRY,
	         REASON_HTTP_BROKEN_OFF},
	        {412, "", AWSERR_FAIL, ERR_DENIED, REASON_S3_PRECONDITION},
	        {409, "<Code>ConditionalRequestConflict</Code>", AWSERR_RETRY, ERR_RETRY,
	         REASON_S3_PRECONDITION},
	        {400, "{\"__type\":\"ResourceNotFoundException\"}", AWSERR_FAIL, ERR_ABSENT,
	         REASON_SECRET_ABSENT},
	        {400, "{\"__type\":\"AccessDeniedException\"}", AWSERR_FAIL, ERR_DENIED,
	         REASON_SECRET_DENIED},
	        {400, "<Code>Unheard</Code>", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS},
	        {418, "", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS},
	        {599, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {499, "", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS},
	        {600, "", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS},
	        {303, "", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT},
	        {307, "", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT},
	        {308, "", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT},
	        {405, "", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY},
	        {408, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_BROKEN_OFF},
	        {409, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {500, "", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS},
	        {501, "", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS},
	};
	struct http_exchange x = {0};
	struct awserr ae;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct awserr_row *row;

		answer(&x, rows[i].status, rows[i].body);
		awserr_read(&x, &ae);
		row = awserr_row(&x, &ae, NULL, "eu-west-1", WALL);
		if (row->action != rows[i].action || row->kind != rows[i].kind ||
		    row->reason != rows[i].reason)
			fail_msg("%d %s: action %d, kind %d, %s", rows[i].status, rows[i].body,
			         (int)row->action, (int)row->kind, reason_row(row->reason)->name);
	}
	free(x.trouble);
}

/* Every code by itself, with a status that says nothing. */
static void test_codes(void **state)
{
	static const struct {
		enum awserr_action action;
		enum err_kind kind;
		enum reason reason;
		const char *codes; /* blanks between */
	} groups[] = {
	        {AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY,
	         "NoSuchKey NoSuchVersion MethodNotAllowed"},
	        {AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_BUCKET, "NoSuchBucket"},
	        {AWSERR_FAIL, ERR_DENIED, REASON_S3_PRECONDITION, "PreconditionFailed"},
	        {AWSERR_RETRY, ERR_RETRY, REASON_S3_PRECONDITION, "ConditionalRequestConflict"},
	        {AWSERR_RETRY, ERR_RETRY, REASON_S3_THROTTLED, "OperationAborted"},
	        {AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS, "InvalidObjectState"},
	        {AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION,
	         "PermanentRedirect AuthorizationHeaderMalformed AuthorizationQueryParametersError IllegalLocationConstraintException InvalidRegion"},
	        {AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, "TemporaryRedirect Redirect"},
	        {AWSERR_SKEW, ERR_DENIED, REASON_S3_CLOCK_SKEW, "RequestTimeTooSkewed"},
	        {AWSERR_FAIL, ERR_DENIED, REASON_S3_SIGNATURE,
	         "InvalidSignatureException SignatureDoesNotMatch"},
	        {AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED,
	         "ExpiredToken ExpiredTokenException RequestExpired InvalidAccessKeyId InvalidClientTokenId UnrecognizedClientException InvalidToken TokenRefreshRequired"},
	        {AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED,
	         "SlowDown Throttling ThrottlingException RequestLimitExceeded"},
	        {AWSERR_RETRY, ERR_RETRY, REASON_HTTP_BROKEN_OFF, "RequestTimeout"},
	        {AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, "InternalError"},
	        {AWSERR_FAIL, ERR_ABSENT, REASON_SECRET_ABSENT, "ResourceNotFoundException"},
	        {AWSERR_FAIL, ERR_DENIED, REASON_SECRET_DENIED,
	         "AccessDeniedException DecryptionFailure"},
	        {AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED,
	         "AccessDenied AllAccessDisabled"},
	};
	struct http_exchange x = {0};
	struct awserr ae;
	char text[600], body[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		snprintf(text, sizeof text, "%s", groups[i].codes);
		for (char *save = NULL, *code = strtok_r(text, " ", &save); code;
		     code = strtok_r(NULL, " ", &save)) {
			snprintf(body, sizeof body, "<Code>%s</Code>", code);
			answer(&x, 400, body);
			awserr_read(&x, &ae);
			const struct awserr_row *row = awserr_row(&x, &ae, NULL, "eu-west-1", WALL);
			if (row->action != groups[i].action || row->kind != groups[i].kind ||
			    row->reason != groups[i].reason)
				fail_msg("%s: action %d, kind %d, %s", code, (int)row->action,
				         (int)row->kind, reason_row(row->reason)->name);
		}
	}
	free(x.trouble);
}

/* An answer need not have a body. */
static void test_by_headers_alone(void **state)
{
	struct http_exchange x = {.status = 400, .bucket_region = "eu-west-2"};
	struct awserr ae;

	(void)state;
	awserr_read(&x, &ae);
	assert_string_equal(ae.region, "eu-west-2");
	assert_int_equal(awserr_row(&x, &ae, NULL, "eu-west-1", WALL)->action, AWSERR_REGION);
	assert_int_equal(awserr_row(&x, &ae, NULL, "eu-west-2", WALL)->action, AWSERR_FAIL);
	x = (struct http_exchange){.status = 403, .date = WALL + 1000};
	awserr_read(&x, &ae);
	assert_int_equal(awserr_row(&x, &ae, NULL, "eu-west-1", WALL)->action, AWSERR_SKEW);
	x.date = WALL + 100;
	assert_int_equal(awserr_row(&x, &ae, NULL, "eu-west-1", WALL)->action, AWSERR_FAIL);
}

/* The clock is to blame for a refusal only where its code leaves that open, and by more than 4
 * minutes. */
static void test_when_it_is_the_clock(void **state)
{
	static const struct {
		int status, off;
		const char *code;
		bool skewed;
	} rows[] = {
	        {403, 241, "", true},
	        {403, -241, "", true},
	        {403, 240, "", false},
	        {400, 300, "", true},
	        {404, 300, "", false},
	        {503, 300, "", false},
	        {403, 300, "SignatureDoesNotMatch", true},
	        {403, 300, "InvalidSignatureException", true},
	        {400, 300, "RequestExpired", true},
	        {401, 300, "AuthFailure", true},
	        {503, 300, "AuthFailure", false},
	        {403, 300, "AccessDenied", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_exchange x = {.status = rows[i].status, .date = WALL + rows[i].off};
		struct awserr ae = {0};

		snprintf(ae.code, sizeof ae.code, "%s", rows[i].code);
		const struct awserr_row *row = awserr_row(&x, &ae, NULL, "eu-west-1", WALL);
		assert_int_equal(row->action == AWSERR_SKEW, rows[i].skewed);
		if (rows[i].skewed) {
			assert_int_equal(row->kind, ERR_DENIED);
			assert_int_equal(row->reason, REASON_S3_CLOCK_SKEW);
		}
	}
	struct http_exchange no_date = {.status = 403};
	struct awserr none = {0};
	assert_int_equal(awserr_row(&no_date, &none, NULL, "eu-west-1", WALL)->action, AWSERR_FAIL);
}

/* Another region's name counts in the refusals that a wrong region gets. */
static void test_when_it_is_the_region(void **state)
{
	static const struct {
		int status;
		bool regional;
	} rows[] = {{301, true},  {400, true},  {403, true},
	            {404, false}, {307, false}, {500, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_exchange x = {.status = rows[i].status};
		const struct awserr ae = {.code = "AccessDenied", .region = "eu-west-2"};
		const struct awserr_row *row = awserr_row(&x, &ae, NULL, "eu-west-1", WALL);

		assert_int_equal(row->action == AWSERR_REGION, rows[i].regional);
		assert_int_equal(row->kind, ERR_DENIED);
	}
}

/* What is too long is cut in messages, and left out elsewhere; headers count more than the body. */
static void test_long_values_and_headers(void **state)
{
	struct http_exchange x = {0};
	struct awserr ae;
	char body[2000], text[300];

	(void)state;
	memset(text, 'm', sizeof text);
	text[299] = '\0';
	snprintf(
	        body, sizeof body,
	        "<Error><Code>%s</Code><Message>%s</Message><Region>%s</Region><Endpoint>%s</Endpoint>"
	        "<RequestId>%s</RequestId></Error>",
	        text, text, text, text, text);
	answer(&x, 400, body);
	awserr_read(&x, &ae);
	assert_int_equal(strlen(ae.message), sizeof ae.message - 1);
	assert_string_equal(ae.code, "");
	assert_string_equal(ae.region, "");
	assert_string_equal(ae.endpoint, "");
	assert_string_equal(ae.request, "");
	snprintf(body, sizeof body, "{\"__type\":\"a#%.63s\",\"message\":\"%s\"}", text, text);
	answer(&x, 400, body);
	awserr_read(&x, &ae);
	assert_int_equal(strlen(ae.message), sizeof ae.message - 1);
	assert_int_equal(strlen(ae.code), 63);
	answer(&x, 400,
	       "<Code>A</Code><Region>r-1</Region><RequestId>R</RequestId><Endpoint>h</Endpoint>");
	awserr_read(&x, &ae);
	assert_string_equal(ae.region, "r-1");
	assert_string_equal(ae.request, "R");
	assert_string_equal(ae.endpoint, "h");
	snprintf(x.request_id, sizeof x.request_id, "H");
	snprintf(x.bucket_region, sizeof x.bucket_region, "r-2");
	snprintf(x.error_type, sizeof x.error_type, "B");
	awserr_read(&x, &ae);
	assert_string_equal(ae.region, "r-2");
	assert_string_equal(ae.request, "H");
	assert_string_equal(ae.code, "B");
	free(x.trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_tags),
	        cmocka_unit_test(test_only_the_first_8_kib_are_looked_at),
	        cmocka_unit_test(test_json),
	        cmocka_unit_test(test_what_to_do),
	        cmocka_unit_test(test_codes),
	        cmocka_unit_test(test_by_headers_alone),
	        cmocka_unit_test(test_when_it_is_the_clock),
	        cmocka_unit_test(test_when_it_is_the_region),
	        cmocka_unit_test(test_long_values_and_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
