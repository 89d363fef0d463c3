/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cloud/creds. */
#include "unit.h"

#include "base/clock.h"
#include "cloud/creds.h"

#define NS_PER_S 1000000000ull

static struct clock_fake now = {.now_ns = 1000 * NS_PER_S, .wall = 1700000000};
static struct err e;

static int setup(void **state)
{
	(void)state;
	clock_set_fake(&now);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	clock_set_fake(NULL);
	return 0;
}

/* The document of a role; `expiration` is its text. */
static const char *document(const char *code, const char *expiration)
{
	static char text[600];

	snprintf(text, sizeof text,
	         "{\"Code\":\"%s\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"ASIAX\","
	         "\"SecretAccessKey\":\"s/+\",\"Token\":\"t==\",\"Expiration\":\"%s\"}",
	         code, expiration);
	return text;
}

static int parse(const char *json, time_t date, struct creds *c)
{
	return creds_parse((struct blob){json, strlen(json)}, date, c, &e);
}

static void test_success(void **state)
{
	struct creds c = {0};

	(void)state;
	/* 6 hours after the time the service says it is, whatever this machine believes. */
	assert_ok(parse(document("Success", "2013-05-24T06:00:00Z"), 1369353600, &c));
	assert_string_equal(c.access_key, "ASIAX");
	assert_string_equal(c.secret_key, "s/+");
	assert_string_equal(c.session_token, "t==");
	assert_true(c.have && !c.fixed);
	assert_int_equal(c.ends_at, now.now_ns + 6 * 3600 * NS_PER_S);
	assert_int_equal(c.renew_at, c.ends_at - 900 * NS_PER_S);
	assert_true(creds_fresh(&c));
	now.now_ns = c.renew_at;
	assert_false(creds_fresh(&c));
	creds_extend(&c);
	assert_true(c.renew_at >= now.now_ns + 300 * NS_PER_S);
	assert_true(c.renew_at <= now.now_ns + 900 * NS_PER_S);
	assert_true(creds_fresh(&c));
	creds_distrust(&c);
	assert_false(creds_fresh(&c));
	assert_true(c.have);
}

static void test_expired_ones_are_taken(void **state)
{
	struct creds c = {0};

	(void)state;
	assert_ok(parse(document("Success", "2013-05-23T23:59:00Z"), 1369353600, &c));
	assert_true(c.have && !creds_fresh(&c) && clock_passed(c.ends_at));
}

static void test_without_a_date_the_wall_clock_counts(void **state)
{
	struct creds c = {0};

	(void)state;
	assert_ok(parse(document("Success", "2023-11-14T23:13:20Z"), 0, &c));
	assert_int_equal(c.ends_at, now.now_ns + 3600 * NS_PER_S);
}

static void test_refused_by_the_service(void **state)
{
	struct creds c = {0};

	(void)state;
	assert_err(parse("{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 can't\"}", 0,
	                 &c),
	           ERR_RETRY, "'AssumeRoleUnauthorizedAccess': EC2 can't");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REFUSED);
	assert_false(c.have);
}

static void test_no_document(void **state)
{
	static const char *const rows[] = {
	        "",
	        "null",
	        "[]",
	        "{}",
	        "{\"Code\":\"Success\"}",
	        "{\"Code\":null}",
	        "{\"Code\":\"Success\",\"Code\":\"Success\"}",
	        "{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":7,"
	        "\"Expiration\":\"2013-05-24T06:00:00Z\"}",
	        "{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":"
	        "\"a b\","
	        "\"Expiration\":\"2013-05-24T06:00:00Z\"}",
	        "{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":"
	        "\"a\\r\\nX: 1\",\"Expiration\":\"2013-05-24T06:00:00Z\"}",
	        "{\"Code\":\"Success\",\"AccessKeyId\":\"\",\"SecretAccessKey\":\"s\",\"Token\":"
	        "\"t\","
	        "\"Expiration\":\"2013-05-24T06:00:00Z\"}",
	};
	struct creds c = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_err(parse(rows[i], 0, &c), ERR_DENIED, "the role's credentials");
	assert_err(parse(document("Success", "soon"), 0, &c), ERR_DENIED, "Expiration");
	assert_err(parse(document("Success", "2013-05-24T06:00:00+01:00"), 0, &c), ERR_DENIED,
	           "Expiration");
	assert_false(c.have);
}

static void test_configured(void **state)
{
	struct creds c = {0};

	(void)state;
	assert_ok(creds_set(&c, "AKIAX", "secret", NULL, &e));
	assert_true(c.have && c.fixed && creds_fresh(&c) && !c.session_token[0]);
	creds_distrust(&c);
	assert_true(creds_fresh(&c));
	creds_close(&c);
	assert_err(creds_set(&c, "AKIAX", NULL, NULL, &e), ERR_INPUT, "secret key");
	assert_err(creds_set(&c, "AKIAX", "s", "a\nb", &e), ERR_INPUT, "session token");
	assert_false(c.have);
}

static void test_from_a_service(void **state)
{
	static const char ends[] = "2013-05-24T06:00:00Z";
	struct creds c = {0};

	(void)state;
	assert_err(creds_take(NULL, "s", "t", ends, 1369353600, &c, &e), ERR_DENIED, "missing");
	assert_err(creds_take("k", "", "t", ends, 1369353600, &c, &e), ERR_DENIED, "missing");
	assert_err(creds_take("k", "s", "t t", ends, 1369353600, &c, &e), ERR_DENIED, "unfit");
	assert_err(creds_take("k", "s", "t", NULL, 1369353600, &c, &e), ERR_DENIED, "Expiration");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REFUSED);
	assert_false(c.have);
	assert_ok(creds_take("k!~", "s", "t", ends, 1369353600, &c, &e));
	assert_true(c.have && !c.fixed);
	assert_string_equal(c.access_key, "k!~");
	assert_int_equal(c.ends_at, now.now_ns + 6 * 3600 * NS_PER_S);
	assert_ok(creds_take("k", "s", "t", "2023-11-14T22:43:20Z", 0, &c, &e));
	assert_int_equal(c.ends_at, now.now_ns + 1800 * NS_PER_S);
}

static void test_they_are_wiped(void **state)
{
	static const struct creds none;
	struct creds c = {0};

	(void)state;
	assert_ok(parse(document("Success", "2013-05-24T06:00:00Z"), 1369353600, &c));
	creds_close(&c);
	assert_memory_equal(&c, &none, sizeof c);
}

/* A life is at most 36 hours; one of less than a quarter of an hour is renewed at once. */
static void test_lives(void **state)
{
	static const struct {
		const char *ends;
		uint64_t ends_s, renew_s;
	} rows[] = {
	        {"2013-05-24T00:15:00Z", 900, 0},         {"2013-05-24T00:15:01Z", 901, 1},
	        {"2013-05-25T12:00:00Z", 129600, 128700}, {"2013-05-25T12:00:01Z", 129600, 128700},
	        {"2013-05-20T00:00:00Z", 0, 0},
	};
	struct creds c = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(parse(document("Success", rows[i].ends), 1369353600, &c));
		assert_int_equal(c.ends_at, now.now_ns + rows[i].ends_s * NS_PER_S);
		assert_int_equal(c.renew_at, now.now_ns + rows[i].renew_s * NS_PER_S);
	}
}

static void test_lengths(void **state)
{
	char key[130], secret[258], token[6146];
	struct creds c = {0};

	(void)state;
	memset(key, 'k', sizeof key);
	memset(secret, 's', sizeof secret);
	memset(token, 't', sizeof token);
	key[129] = secret[257] = token[6145] = '\0';
	assert_err(creds_set(&c, key, "s", NULL, &e), ERR_INPUT, "an access key");
	assert_err(creds_set(&c, "k", secret, NULL, &e), ERR_INPUT, "a secret key");
	assert_err(creds_set(&c, "k", "s", token, &e), ERR_INPUT, "session token");
	assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	assert_ok(creds_set(&c, key + 1, secret + 1, token + 1, &e));
	assert_string_equal(c.session_token, token + 1);
	assert_err(creds_set(&c, "k\x7f", "s", NULL, &e), ERR_INPUT, "an access key");
	assert_err(creds_set(&c, "k k", "s", NULL, &e), ERR_INPUT, "an access key");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_success),
	        cmocka_unit_test(test_expired_ones_are_taken),
	        cmocka_unit_test(test_without_a_date_the_wall_clock_counts),
	        cmocka_unit_test(test_refused_by_the_service),
	        cmocka_unit_test(test_no_document),
	        cmocka_unit_test(test_configured),
	        cmocka_unit_test(test_from_a_service),
	        cmocka_unit_test(test_they_are_wiped),
	        cmocka_unit_test(test_lives),
	        cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
