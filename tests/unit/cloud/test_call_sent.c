/* SPDX-License-Identifier: Apache-2.0 */
/* What one signed call sends, where, and by which clock. */
#include "call_test.h"

#include <errno.h>

static void what_it_sends(void **state)
{
	static const struct script_row rows[] = {{POST, 0, 200, NULL, "ok"}, {0}};
	const char *sent;

	(void)state;
	begin(rows, true);
	assert_ok(call(LIMIT_MS));
	assert_string_equal(body.data, "ok");
	assert_int_equal(k.tries, 1);
	sent = script_last(&s, POST);
	assert_non_null(strstr(sent, "x-amz-date: 20260101T000000Z\r\n"));
	assert_non_null(strstr(sent,
	                       "Authorization: AWS4-HMAC-SHA256 Credential=AKIAFIXED/20260101/"
	                       "eu-west-1/svc/aws4_request, SignedHeaders=host;x-amz-date, "));
	assert_null(strstr(sent, "x-amz-content-sha256"));
	assert_null(strstr(sent, "x-amz-security-token"));
}

/* Signing goes by the service's clock, and the log says how far ours is off. */
static void a_clock_that_is_wrong_is_told(void **state)
{
	static const struct {
		int off;
		const char *text;
	} rows[] = {
	        {3600,
	         "this machine's clock is 3600 s ahead of the service's; signing with its time"},
	        {-60, "this machine's clock is 60 s behind the service's; signing with its time"},
	};
	struct http_exchange x = {.date = WALL};

	(void)state;
	begin((const struct script_row[]){{0}}, true);
	log_set_sink(keep_log, NULL, LOG_LEVEL_WARNING);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		script_clock.wall = WALL + rows[i].off;
		n_logged = 0;
		assert_true(call_skew(c, &x));
		assert_int_equal(c->skew_s, -rows[i].off);
		assert_int_equal(n_logged, 1);
		assert_string_equal(logged[0], rows[i].text);
	}
	x.date = 0;
	assert_false(call_skew(c, &x));
	assert_int_equal(c->skew_s, 60);
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
}

static char long_path[8300];

static int place_far(struct cloud *cloud, struct call *call, struct arena *a, struct err *err)
{
	call->path = long_path;
	return place(cloud, call, a, err) < 0 ? -1 : (call->path = long_path, 0);
}

/* An address of 8 KiB is sent, none that is longer. */
static void an_address_at_its_ceiling(void **state)
{
	static const struct script_row rows[] = {{"POST /ppp", 0, 200, NULL, "ok"}, {0}};

	(void)state;
	begin(rows, true);
	for (size_t more = 0; more < 2; more++) {
		size_t len = 8 * 1024 - strlen(s.url) + more;

		memset(long_path, 'p', len);
		long_path[0] = '/';
		long_path[len] = '\0';
		k = (struct call){.doing = "asking 'x'",
		                  .service = "svc",
		                  .method = "POST",
		                  .custom = true,
		                  .place = place_far};
		if (more)
			assert_err(call_run(c, &k, clock_in_ms(LIMIT_MS), &e), ERR_INPUT,
			           "asking 'x': the address is too long");
		else
			assert_err(call_run(c, &k, clock_in_ms(LIMIT_MS), &e), ERR_DENIED,
			           "2 bytes, more than");
	}
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(s.shared->requests, 1);
}

static void shape(struct call *call)
{
	call->extra[call->n_extra++] = (struct sigv4_pair){"X-Extra", "of this try"};
}

static bool again(struct call *call)
{
	return call->tries < 3;
}

/* All that a caller may add is sent and signed, once in each try. */
static void what_a_caller_adds(void **state)
{
	static const struct script_row rows[] = {
	        {"POST /p?a=1&b=2%203 ", 0, 404, NULL, CODE("NoSuchKey")},
	        {0},
	};

	(void)state;
	begin(rows, true);
	e = (struct err){0};
	k = (struct call){.doing = "asking 'x'",
	                  .service = "svc",
	                  .method = "POST",
	                  .custom = true,
	                  .unsigned_body = true,
	                  .place = place,
	                  .shape = shape,
	                  .refused = again,
	                  .query = {{"b", "2 3"}, {"a", "1"}},
	                  .n_query = 2,
	                  .headers = {{"X-Own", "value"}},
	                  .n_headers = 1};
	k.x.body = (struct blob){"body", 4};
	assert_err(call_run(c, &k, clock_in_ms(LIMIT_MS), &e), ERR_ABSENT, "asking 'x': try 3: ");
	assert_int_equal(k.tries, 3);
	const char *sent = script_last(&s, POST_ANY);
	assert_non_null(strstr(sent, "X-Own: value\r\n"));
	assert_non_null(strstr(sent, "X-Extra: of this try\r\n"));
	assert_non_null(strstr(sent, "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"));
	assert_non_null(
	        strstr(sent, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-extra;x-own, "));
	assert_non_null(strstr(sent, "\r\n\r\nbody"));
}

/* Who asks for credentials has none to sign with. */
static void an_anonymous_call(void **state)
{
	static const struct script_row rows[] = {{POST, 0, 200, NULL, "ok"}, {0}};

	(void)state;
	begin(rows, false);
	e = (struct err){0};
	k = (struct call){.doing = "asking 'x'",
	                  .service = "svc",
	                  .method = "POST",
	                  .custom = true,
	                  .anonymous = true,
	                  .place = place};
	snprintf(c->creds.session_token, sizeof c->creds.session_token, "secret");
	assert_err(call_run(c, &k, clock_in_ms(LIMIT_MS), &e), ERR_DENIED, "2 bytes");
	assert_null(strstr(script_last(&s, POST), "Authorization"));
	assert_null(strstr(script_last(&s, POST), "x-amz-security-token"));
	assert_int_equal(s.shared->requests, 1); /* the metadata service isn't asked */
}

static void hosts_of_a_service(void **state)
{
	static const struct call_service one = {"svc"}, other = {"ec2", .gov_is_fips = true};
	static const struct {
		const struct call_service *service;
		const char *region;
		bool fips;
		const char *host;
	} rows[] = {
	        {&one, "eu-west-1", false, "svc.eu-west-1.amazonaws.com"},
	        {&one, "us-east-1", true, "svc-fips.us-east-1.amazonaws.com"},
	        {&one, "us-gov-west-1", true, "svc-fips.us-gov-west-1.amazonaws.com"},
	        {&other, "us-east-1", true, "ec2-fips.us-east-1.amazonaws.com"},
	        {&other, "us-gov-west-1", true, "ec2.us-gov-west-1.amazonaws.com"},
	};

	(void)state;
	begin((const struct script_row[]){{0}}, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		k = (struct call){.region = rows[i].region};
		c->domain = "amazonaws.com";
		c->config.fips = rows[i].fips;
		assert_ok(call_place(c, &k, rows[i].service, NULL, "X", c->arena, &e));
		assert_string_equal(k.at.authority, rows[i].host);
		assert_true(k.at.tls);
	}
	assert_err(call_place(c, &k, &one, "nonsense", "THE_SETTING", c->arena, &e), ERR_INPUT,
	           "THE_SETTING");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(what_it_sends),
	        TEST(a_clock_that_is_wrong_is_told),
	        TEST(an_address_at_its_ceiling),
	        TEST(what_a_caller_adds),
	        TEST(an_anonymous_call),
	        TEST(hosts_of_a_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
