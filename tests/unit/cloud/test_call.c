/* SPDX-License-Identifier: Apache-2.0 */
/* One signed call: which refusals are tried again, how often, and with what kind it is given up. */
#include "call_test.h"

#include <errno.h>

#include "http/retry.h"

static void passing_faults(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 0, NULL},
	        {POST, 1, 500, NULL},
	        {POST, 1, 503, NULL, CODE("SlowDown")},
	        {POST, 1, 400, NULL, CODE("RequestTimeout")},
	        {POST, 0, 200, NULL, "ok"},
	        {0},
	};

	(void)state;
	begin(rows, true);
	assert_ok(call(LIMIT_MS));
	assert_int_equal(k.tries, 5);
}

static void they_end_at_the_deadline(void **state)
{
	static const struct script_row rows[] = {{POST, 0, 503, NULL, CODE("SlowDown")}, {0}};

	(void)state;
	begin(rows, true);
	assert_err(call(20000), ERR_RETRY, "SlowDown (status 503 from '127.0.0.1:");
	assert_int_equal(e.reason, REASON_S3_THROTTLED);
	assert_in_range(k.tries, 2, 60); /* with pauses */
	assert_non_null(strstr(e.text, "asking 'x': try "));
}

/* The last try is cut short by the deadline; what the service said before is what counts. */
static void a_refusal_outlives_the_deadline(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 500, NULL, CODE("InternalError")},
	        {POST, 0, 200, NULL, "ok", 0, 1000},
	        {0},
	};

	(void)state;
	script_clock_real();
	begin(rows, true);
	assert_err(call(400), ERR_RETRY, "try 2: InternalError");
	assert_int_equal(e.no, EAGAIN);
}

/* The same where the service said nothing but closed the connection. */
static void a_fault_outlives_a_try_that_was_cut_short(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 0, NULL},
	        {POST, 0, 200, NULL, "ok", 0, 1000},
	        {0},
	};

	(void)state;
	script_clock_real();
	begin(rows, true);
	assert_err(call(600), ERR_RETRY, "asking 'x': try 2: ");
	assert_int_equal(e.reason, REASON_HTTP_BROKEN_OFF);
	assert_int_not_equal(e.no, ETIMEDOUT);
}

static void what_cuts_a_try_short(void **state)
{
	const struct err timeout = {.kind = ERR_RETRY, .no = ETIMEDOUT};
	const struct err reset = {.kind = ERR_RETRY, .no = EPIPE};
	const struct err unsent = {.kind = ERR_DEADLINE, .no = ETIMEDOUT};

	(void)state;
	assert_true(retry_cut_short(&timeout, 999));
	assert_false(retry_cut_short(&timeout, 1000));
	assert_false(retry_cut_short(&reset, 0));
	assert_true(retry_cut_short(&unsent, 1000));
}

/* Who reports a fault to AWS needs the request's id; who looks at --verbose sees each try. */
static void ids_and_retries_are_told(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 503, "x-amz-request-id: ID503\r\n", CODE("SlowDown")},
	        {POST, 1, 403, "x-amzn-RequestId: ID403\r\n", CODE("AccessDenied")},
	        {POST, 1, 403, NULL, "<Error><Code>A</Code><RequestId>IN-XML</RequestId></Error>"},
	        {POST, 1, 403, NULL, "<R><Code>A</Code><RequestID>OF-EC2</RequestID></R>"},
	        {0},
	};

	(void)state;
	begin(rows, true);
	log_set_sink(keep_log, NULL, LOG_LEVEL_DEBUG);
	n_logged = 0;
	assert_err(call(LIMIT_MS), ERR_DENIED, ", request ID403): words");
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	assert_int_equal(n_logged, 1);
	assert_non_null(strstr(logged[0], "asking 'x': try 2 in "));
	assert_non_null(strstr(logged[0], " ms: SlowDown (status 503 from '127.0.0.1:"));
	assert_non_null(strstr(logged[0], "request ID503"));
	assert_err(call(LIMIT_MS), ERR_DENIED, "request IN-XML");
	assert_err(call(LIMIT_MS), ERR_DENIED, "request OF-EC2");
}

static void refusals_that_are_final(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {403, CODE("AccessDenied"), ERR_DENIED, REASON_S3_ACCESS_DENIED},
	        {404, CODE("NoSuchKey"), ERR_ABSENT, REASON_S3_NO_SUCH_KEY},
	        {404, NULL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY},
	        {412, NULL, ERR_DENIED, REASON_S3_PRECONDITION},
	        {403, CODE("SignatureDoesNotMatch"), ERR_DENIED, REASON_S3_SIGNATURE},
	        {501, NULL, ERR_DENIED, REASON_HTTP_STATUS},
	        {400, CODE("Nonsense"), ERR_DENIED, REASON_HTTP_STATUS},
	        {302, NULL, ERR_DENIED, REASON_HTTP_REDIRECT},
	        {403, CODE("ExpiredToken"), ERR_DENIED, REASON_CREDENTIALS_REJECTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {{POST, 0, rows[i].status, NULL, rows[i].body},
		                                    {0}};

		begin(script, true);
		assert_err(call(LIMIT_MS), rows[i].kind, "asking 'x'");
		assert_int_equal(e.reason, rows[i].reason);
		assert_int_equal(k.tries, 1);
	}
}

/* What a refusal says, with each of its parts and without. */
static void the_words_of_a_refusal(void **state)
{
	static const struct {
		int status;
		const char *headers, *body, *text;
	} rows[] = {
	        {400, NULL, CODE("Nonsense"),
	         "asking 'x': Nonsense (status 400 from '127.0.0.1:*'): words"},
	        {400, NULL, "<Error><Code>Nonsense</Code></Error>",
	         "asking 'x': Nonsense (status 400 from '127.0.0.1:*')"},
	        {501, NULL, NULL, "asking 'x': status 501 from '127.0.0.1:*'"},
	        {400, "x-amz-request-id: R\r\n",
	         "<Error><Code>C</Code><Message>m</Message></Error>",
	         "asking 'x': C (status 400 from '127.0.0.1:*', request R): m"},
	        {501, "x-amz-request-id: R1\r\n", NULL,
	         "asking 'x': status 501 from '127.0.0.1:*', request R1"},
	        {400, "x-amz-request-id: R1\r\n", CODE("Nonsense"),
	         "asking 'x': Nonsense (status 400 from '127.0.0.1:*', request R1): words"},
	        {302, "Location: https://there/x?signature=s\r\n", NULL,
	         "asking 'x': status 302 from '127.0.0.1:*'; it points to 'https://there/x'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {POST, 0, rows[i].status, rows[i].headers, rows[i].body}, {0}};
		char want[200], *star;

		begin(script, true);
		assert_true(call(LIMIT_MS) < 0);
		snprintf(want, sizeof want, "%s", rows[i].text);
		star = strchr(want, '*');
		snprintf(star, sizeof want - (size_t)(star - want), "%d%s", s.port,
		         strchr(rows[i].text, '*') + 1);
		assert_string_equal(e.text, want);
	}
}

static void a_role_is_asked_for_newer_credentials(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_ROLE,
	        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z")},
	        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIANEWER", "2026-01-01T06:00:00Z")},
	        {POST, 1, 403, NULL, CODE("ExpiredToken")},
	        {POST, 0, 200, NULL, "ok"},
	        {0},
	};

	(void)state;
	begin(rows, false);
	assert_ok(call(LIMIT_MS));
	assert_int_equal(k.tries, 2);
	assert_non_null(strstr(script_last(&s, POST), "Credential=ASIANEWER/"));
	assert_non_null(strstr(script_last(&s, POST), "x-amz-security-token: tok\r\n"));
}

static void but_not_for_ever(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN, SCRIPT_ROLE,
	        SCRIPT_CREDS, {POST, 0, 403, NULL, CODE("InvalidAccessKeyId")},
	        {0},
	};

	(void)state;
	begin(rows, false);
	assert_err(call(LIMIT_MS), ERR_DENIED, "InvalidAccessKeyId");
	assert_int_equal(k.tries, 4);
}

static void the_region_it_names_is_used_once(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 301, "x-amz-bucket-region: us-west-2\r\n"},
	        {POST, 1, 301, "x-amz-bucket-region: us-east-2\r\n"},
	        {POST, 1, 301, "x-amz-bucket-region: NOT A REGION\r\n"},
	        {0},
	};

	(void)state;
	begin(rows, true);
	assert_err(call(LIMIT_MS), ERR_DENIED, "301");
	assert_int_equal(e.reason, REASON_S3_WRONG_REGION);
	assert_int_equal(k.tries, 2);
	assert_non_null(strstr(script_last(&s, POST), "/us-west-2/svc/"));
	assert_err(call(LIMIT_MS), ERR_DENIED, "301");
	assert_int_equal(k.tries, 1);
}

static void the_time_it_tells_is_used_once(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 403, SCRIPT_DATE, CODE("RequestTimeTooSkewed")},
	        {POST, 1, 200, NULL, "ok"},
	        {POST, 0, 403, NULL, CODE("RequestTimeTooSkewed")},
	        {0},
	};

	(void)state;
	script_clock.wall = WALL + 3600;
	begin(rows, true);
	assert_ok(call(LIMIT_MS));
	assert_int_equal(c->skew_s, -3600);
	assert_non_null(strstr(script_last(&s, POST), "x-amz-date: 20260101T000000Z\r\n"));
	/* Without a Date there is nothing to go by. */
	assert_err(call(LIMIT_MS), ERR_DENIED, "RequestTimeTooSkewed");
	assert_int_equal(e.reason, REASON_S3_CLOCK_SKEW);
	assert_int_equal(k.tries, 1);
}

/* EC2's code for several faults: the clock only where the service's time says so. */
static void an_expired_request_is_an_expired_token(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 400, SCRIPT_DATE, CODE("RequestExpired")},
	        {POST, 1, 400, SCRIPT_DATE, CODE("RequestExpired")},
	        {POST, 0, 200, NULL, "ok"},
	        {0},
	};

	(void)state;
	begin(rows, true);
	assert_err(call(LIMIT_MS), ERR_DENIED, "the session token has expired");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REJECTED);
	script_clock.wall = WALL + 3600;
	assert_ok(call(LIMIT_MS));
	assert_int_equal(c->skew_s, -3600);
}

static void a_configured_endpoint_moves_nobody(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 0, 307, "Location: https://other.amazonaws.com/\r\n",
	         CODE("TemporaryRedirect")},
	        {0},
	};

	(void)state;
	begin(rows, true);
	assert_err(call(LIMIT_MS), ERR_DENIED, "; it points to 'https://other.amazonaws.com/'");
	assert_int_equal(e.reason, REASON_HTTP_REDIRECT);
	assert_int_equal(e.no, EXDEV);
	assert_int_equal(k.tries, 1);
}

static void an_answer_at_its_ceiling(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 200, NULL, NULL, 100, 0},
	        {POST, 1, 200, NULL, NULL, 101, 0},
	        {0},
	};

	(void)state;
	begin(rows, true);
	assert_ok(call(LIMIT_MS));
	assert_int_equal(body.len, 100);
	assert_err(call(LIMIT_MS), ERR_DENIED, "101 bytes, more than the 100 allowed");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	assert_int_equal(k.tries, 1);
}

static void nobody_answers(void **state)
{
	(void)state;
	begin((const struct script_row[]){{0}}, true);
	snprintf(s.url, sizeof s.url, "http://127.0.0.1:9");
	assert_err(call(5000), ERR_RETRY, "127.0.0.1:9");
	assert_int_equal(e.reason, REASON_HTTP_UNREACHABLE);
	assert_null(strstr(e.text, "is there a route?")); /* it is a configured endpoint */
	assert_true(k.tries > 1);
}

static void its_own_rows_come_first(void **state)
{
	static const struct awserr_row own[] = {
	        {"NoSuchKey", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL, "the hint"},
	        {0},
	};
	static const struct script_row rows[] = {{POST, 0, 404, NULL, CODE("NoSuchKey")}, {0}};
	struct awserr ae;

	(void)state;
	begin(rows, true);
	assert_err(call(LIMIT_MS), ERR_ABSENT, "NoSuchKey");
	k.rows = own;
	assert_ptr_equal(call_refusal(c, &k, &ae, &e), &own[0]);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(e.reason, REASON_AWS_INVALID);
	assert_non_null(strstr(e.text, "the hint"));
	assert_string_equal(ae.message, "words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(passing_faults),
	        TEST(they_end_at_the_deadline),
	        TEST(a_refusal_outlives_the_deadline),
	        TEST(a_fault_outlives_a_try_that_was_cut_short),
	        TEST(what_cuts_a_try_short),
	        TEST(ids_and_retries_are_told),
	        TEST(refusals_that_are_final),
	        TEST(the_words_of_a_refusal),
	        TEST(a_role_is_asked_for_newer_credentials),
	        TEST(but_not_for_ever),
	        TEST(the_region_it_names_is_used_once),
	        TEST(the_time_it_tells_is_used_once),
	        TEST(an_expired_request_is_an_expired_token),
	        TEST(a_configured_endpoint_moves_nobody),
	        TEST(an_answer_at_its_ceiling),
	        TEST(nobody_answers),
	        TEST(its_own_rows_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
