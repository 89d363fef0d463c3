/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No copy of a key, a token or a signature stays in memory: how often memory that holds one is
 * wiped, from the first byte that arrives to the end of the handle.
 */
#include "unit.h"

#include "base/clock.h"
#include "cloud/call.h"
#include "cloud/session.h"
#include "script.h"
#include "wipes.h"

#define WALL     1767225600
#define LIMIT_MS 60000
#define KEY      "wJalrXUtnFEMI-canary-of-a-secret-key"
#define TOKEN    "canary-of-a-metadata-token"
#define SESSION  "canary-of-a-session-token"

static struct err e;
static struct script s;
static struct cloud *c;

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wipes_of(NULL);
	script_clock_real();
	return 0;
}

static void a_key_that_signed(void **state)
{
	const struct sigv4_pair host = {"host", "h"};
	const struct sigv4_key key = {"AKID", KEY, NULL};
	const struct sigv4_request r = {.method = "GET",
	                                .path = "/",
	                                .headers = &host,
	                                .n_headers = 1,
	                                .payload = SIGV4_UNSIGNED,
	                                .date = "20130524T000000Z",
	                                .region = "eu-west-1",
	                                .service = "s3"};
	char out[1024];

	(void)state;
	wipes_of(KEY);
	assert_ok(sigv4_authorize(&r, &key, out, sizeof out, &e));
	assert_int_equal(wipes.seen, 1);
}

static void a_body_that_grows(void **state)
{
	struct http_buffer b = {0};
	struct http_exchange x = {.ctx = &b};

	(void)state;
	wipes_of(KEY);
	http_buffer_add(&b, KEY, strlen(KEY));
	assert_int_equal(wipes.seen, 0);
	while (wipes.seen == 0)
		http_buffer_add(&b, "more", 4);
	assert_int_equal(wipes.seen, 1); /* the smaller one that it grew out of */
	assert_memory_equal(b.data, KEY "more", strlen(KEY) + 4);
	assert_int_equal(http_buffer_begin(&x), 0);
	assert_int_equal(wipes.seen, 2);
	assert_int_equal(b.len, 0);
	http_buffer_add(&b, KEY, strlen(KEY));
	http_buffer_close(&b);
	assert_int_equal(wipes.seen, 3);
	assert_null(b.data);
	http_buffer_close(&b);
}

static const struct script_row rows[] = {
        {"PUT /latest/api/token", 0, 200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", TOKEN},
        SCRIPT_REGION,
        {"GET /latest/meta-data/services/domain", 0, 200, NULL, "amazonaws.com"},
        SCRIPT_ROLE,
        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE,
         "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAFIRST\",\"SecretAccessKey\":\"" KEY
         "\",\"Token\":\"" SESSION "\",\"Expiration\":\"2026-01-01T06:00:00Z\"}"},
        {"GET /object", 0, 200, NULL, "hello"},
        {0},
};

static void begin(const char *secret)
{
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url});
	wipes_of(secret);
	e = (struct err){0};
	assert_ok(session_need(c, SESSION_REGION | SESSION_DOMAIN | SESSION_CREDS,
	                       clock_in_ms(LIMIT_MS), &e));
}

/* At least so many wipes until now, and exactly those of the handle's end. An answer that comes in
 * several pieces is copied, and so wiped, more often. */
static void assert_wipes(int before, int at_the_end)
{
	int seen = wipes.seen;

	cloud_close(c);
	script_stop(&s);
	if (seen < before || wipes.seen != seen + at_the_end)
		fail_msg("%d and %d wipes, wanted at least %d and %d", seen, wipes.seen - seen,
		         before, at_the_end);
}

static void the_credentials_of_a_role(void **state)
{
	(void)state;
	begin(KEY);
	assert_wipes(5, 1);
	begin(SESSION);
	assert_wipes(5, 1);
}

static void a_token_of_the_metadata_service(void **state)
{
	(void)state;
	begin(TOKEN);
	assert_wipes(5, 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(a_key_that_signed),
	        T(a_body_that_grows),
	        T(the_credentials_of_a_role),
	        T(a_token_of_the_metadata_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
