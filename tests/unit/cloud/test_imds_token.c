/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the metadata service: how long one is used, and what happens when it is refused. */
#include "imds_test.h"

static void a_token_serves_many_reads(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/" PATH, 0, 200, SCRIPT_DATE, "0a:11"},
	        {0},
	};

	(void)state;
	begin(rows);
	for (int i = 0; i < 3; i++) {
		assert_ok(read_path(PATH, 5, false));
		assert_int_equal(one.rc, 0);
		assert_false(one.absent);
		assert_string_equal(one.text.data, "0a:11");
		assert_int_equal(one.date, 1767225600);
	}
	assert_int_equal(script_count(&s, "PUT"), 1);
	assert_non_null(strstr(script_last(&s, "PUT"), "token-ttl-seconds: 21600\r\n"));
	assert_non_null(strstr(script_last(&s, "GET"), "X-aws-ec2-metadata-token: token\r\n"));
}

static void a_token_is_used_for_nine_tenths_of_its_life(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT", 0, 200, "x-aws-ec2-metadata-token-ttl-seconds: 1000\r\n", "t"},
	        {"GET /latest/" PATH, 0, 200, NULL, "m"},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	script_clock.now_ns += 880 * 1000000000ull;
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(script_count(&s, "PUT"), 1);
	script_clock.now_ns += 20 * 1000000000ull;
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(script_count(&s, "PUT"), 2);
}

/* Where the service tells no life, or none that it may have, it is the one that was asked for. */
static void a_life_that_is_none(void **state)
{
	static const struct {
		const char *header;
		uint64_t seconds;
	} rows[] = {
	        {"", 19440},
	        {"x-aws-ec2-metadata-token-ttl-seconds: 0\r\n", 19440},
	        {"x-aws-ec2-metadata-token-ttl-seconds: 21601\r\n", 19440},
	        {"x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", 19440},
	        {"x-aws-ec2-metadata-token-ttl-seconds: 100\r\n", 90},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {{"PUT", 0, 200, rows[i].header, "t"},
		                                    {"GET /latest/" PATH, 0, 200, NULL, "m"},
		                                    {0}};

		imds_close(imds);
		script_stop(&s);
		begin(script);
		uint64_t start = clock_now();
		assert_ok(read_path(PATH, 5, false));
		script_clock.now_ns = start + (rows[i].seconds - 10) * 1000000000ull;
		assert_ok(read_path(PATH, 5, false));
		assert_int_equal(script_count(&s, "PUT"), 1);
		script_clock.now_ns = start + (rows[i].seconds + 60) * 1000000000ull;
		assert_ok(read_path(PATH, 5, false));
		assert_int_equal(script_count(&s, "PUT"), 2);
	}
}

static void a_life_of_a_second(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT", 0, 200, "x-aws-ec2-metadata-token-ttl-seconds: 1\r\n", "!~"},
	        {"GET /latest/" PATH, 0, 200, NULL, "m"},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	script_clock.now_ns += 2000000000ull;
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(script_count(&s, "PUT"), 2);
	assert_non_null(strstr(script_last(&s, "GET"), "X-aws-ec2-metadata-token: !~\r\n"));
}

static void one_new_token_after_401(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/" PATH, 1, 401, NULL},
	        {"GET /latest/" PATH, 1, 200, NULL, "m"},
	        {"GET /latest/" PATH, 0, 401, NULL},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(one.rc, 0);
	assert_int_equal(script_count(&s, "PUT"), 2);
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(one.rc, -EACCES);
	assert_int_equal(one.err.kind, ERR_DENIED);
	assert_int_equal(one.err.reason, REASON_IMDS_PROTOCOL);
	assert_int_equal(script_count(&s, "PUT"), 3);
}

/* A refused token is asked for once more; when that is refused, that is the error of the reads. */
static void a_new_token_that_is_refused(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT", 1, 200, NULL, "t"},
	        {"PUT", 0, 403, NULL},
	        {"GET", 0, 401, NULL},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(e.kind, ERR_NONE); /* it is the read's, not the call's */
	assert_int_equal(one.rc, -EACCES);
	assert_int_equal(one.err.reason, REASON_IMDS_FORBIDDEN);
	assert_int_equal(script_count(&s, "PUT"), 2);
	assert_int_equal(script_count(&s, "GET"), 1);
}

static void tokens_that_are_refused(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {503, NULL, ERR_RETRY, REASON_IMDS_UNREACHABLE},
	        {403, NULL, ERR_DENIED, REASON_IMDS_FORBIDDEN},
	        {404, NULL, ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {405, NULL, ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {499, NULL, ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {201, "t", ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {200, NULL, ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {200, "to ken", ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {200, "to\x7fken", ERR_DENIED, REASON_IMDS_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {"PUT", 0, rows[i].status, NULL, rows[i].body},
		        {0},
		};

		imds_close(imds);
		script_stop(&s);
		begin(script);
		assert_err(read_path(PATH, 5, false), rows[i].kind, s.url);
		assert_int_equal(e.reason, rows[i].reason);
		assert_in_range(script_count(&s, "PUT"), rows[i].kind == ERR_RETRY ? 3 : 1,
		                rows[i].kind == ERR_RETRY ? 60 : 1);
		assert_int_equal(script_count(&s, "GET"), 0);
	}
}

/* A token of 1024 bytes is one, a longer one is not read. */
static void a_token_at_its_ceiling(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT", 1, 200, NULL, NULL, 1024, 0},
	        {"PUT", 0, 200, NULL, NULL, 1025, 0},
	        {"GET /latest/" PATH, 1, 200, NULL, "m"},
	        {"GET /latest/" PATH, 0, 401, NULL},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(one.rc, 0);
	assert_err(read_path(PATH, 5, false) < 0 ? -1 : (e = one.err, one.rc), ERR_DENIED, "");
}

/* An answer that never comes points at the hop limit; no connection at all does not. */
static void the_hop_limit_is_named_where_it_may_be_the_cause(void **state)
{
	static const struct script_row rows[] = {{"PUT", 0, 200, NULL, "t", 0, 5000}, {0}};
	struct imds_read *list[] = {&one};
	struct imds *other = NULL;

	(void)state;
	script_clock_real();
	begin(rows);
	one = (struct imds_read){.path = PATH, .max = 5};
	assert_err(imds_read(imds, list, 1, clock_in_ms(300), &e), ERR_RETRY, "hop limit");
	assert_int_equal(e.reason, REASON_IMDS_UNREACHABLE);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_ok(imds_open(http, "http://127.0.0.1:9", a, &other, &e));
	assert_int_equal(imds_read(other, list, 1, clock_in_ms(300), &e), -ECONNREFUSED);
	assert_int_equal(e.kind, ERR_RETRY);
	assert_int_equal(e.reason, REASON_IMDS_UNREACHABLE);
	assert_null(strstr(e.text, "hop limit"));
	imds_close(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_token_serves_many_reads),
	        TEST(a_token_is_used_for_nine_tenths_of_its_life),
	        TEST(a_life_that_is_none),
	        TEST(a_life_of_a_second),
	        TEST(one_new_token_after_401),
	        TEST(a_new_token_that_is_refused),
	        TEST(tokens_that_are_refused),
	        TEST(a_token_at_its_ceiling),
	        TEST(the_hop_limit_is_named_where_it_may_be_the_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
