/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata service: tokens, answers that are retried, and what its failures say. */
#include "imds_test.h"

static void a_body_at_its_ceiling(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/" PATH, 0, 200, NULL, NULL, 100, 0},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 100, false));
	assert_int_equal(one.rc, 0);
	assert_int_equal(one.text.len, 100);
	assert_ok(read_path(PATH, 99, false));
	assert_int_equal(one.rc, -EFBIG);
	assert_int_equal(one.err.kind, ERR_DENIED);
	assert_int_equal(one.err.reason, REASON_IMDS_PROTOCOL);
}

static void absent_now_and_late(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/" LATE, 3, 404, NULL},
	        {"GET /latest/" LATE, 0, 200, NULL, "here"},
	        {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(one.rc, 0);
	assert_true(one.absent);
	assert_int_equal(script_count(&s, "GET"), 1);
	assert_ok(read_path(LATE, 5, true));
	assert_false(one.absent);
	assert_string_equal(one.text.data, "here");
	assert_int_equal(script_count(&s, "GET /latest/" LATE), 4);
}

static void never_there_is_absent_after_half_a_minute(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};
	struct imds_read *list[] = {&one};
	uint64_t start;

	(void)state;
	begin(rows);
	one = (struct imds_read){.path = LATE, .max = 5, .late = true};
	start = clock_now();
	assert_ok(imds_read(imds, list, 1, clock_in_ms(300000), &e));
	assert_true(one.absent);
	assert_in_range(clock_now() - start, 20 * 1000000000ull, 33 * 1000000000ull);
}

static void what_is_tried_again(void **state)
{
	static const int statuses[] = {429, 500, 503, 599};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct script_row rows[] = {
		        {"PUT", 1, statuses[i], NULL},
		        SCRIPT_TOKEN,
		        {"GET /latest/" PATH, 2, statuses[i], NULL},
		        {"GET /latest/" PATH, 0, 200, NULL, "m"},
		        {0},
		};

		imds_close(imds);
		script_stop(&s);
		begin(rows);
		assert_ok(read_path(PATH, 5, false));
		assert_int_equal(one.rc, 0);
		assert_int_equal(script_count(&s, "PUT"), 2);
		assert_int_equal(script_count(&s, "GET"), 3);
	}
}

/* Retry-After is kept to, of a token and of a read. */
static void the_service_says_when(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT", 1, 503, "Retry-After: 7\r\n"},
	        SCRIPT_TOKEN,
	        {"GET /latest/" PATH, 1, 503, "Retry-After: 8\r\n"},
	        {"GET /latest/" PATH, 0, 200, NULL, "m"},
	        {0},
	};
	uint64_t start;

	(void)state;
	begin(rows);
	start = clock_now();
	assert_ok(read_path(PATH, 5, false));
	assert_int_equal(one.rc, 0);
	assert_int_equal(script_count(&s, "PUT"), 2);
	assert_int_equal(script_count(&s, "GET"), 2);
	assert_true(clock_now() - start >= 15 * 1000000000ull);
	/* Where no time is left for that, it ends at once. */
	script_stop(&s);
	imds_close(imds);
	begin(rows);
	struct imds_read *list[] = {&one};
	imds_read_close(&one);
	one = (struct imds_read){.path = PATH, .max = 5};
	assert_err(imds_read(imds, list, 1, clock_in_ms(6000), &e), ERR_RETRY, "status 503");
	assert_int_equal(script_count(&s, "PUT"), 1);
}

/* What the service said before the last try ran out of time says more than that. */
static void an_earlier_answer_says_more_than_a_timeout(void **state)
{
	static const struct script_row token[] = {
	        {"PUT", 1, 503, NULL},
	        {"PUT", 0, 200, NULL, "t", 0, 20000},
	        {0},
	};
	static const struct script_row read[] = {
	        SCRIPT_TOKEN,
	        {"GET", 1, 500, NULL},
	        {"GET", 0, 200, NULL, "m", 0, 20000},
	        {0},
	};
	static const struct script_row silent[] = {
	        SCRIPT_TOKEN,
	        {"GET", 0, 200, NULL, "m", 0, 20000},
	        {0},
	};
	struct imds_read *list[] = {&one};

	(void)state;
	script_clock_real();
	begin(token);
	one = (struct imds_read){.path = PATH, .max = 5};
	assert_err(imds_read(imds, list, 1, clock_in_ms(700), &e), ERR_RETRY, "token: status 503");
	assert_int_equal(script_count(&s, "PUT"), 2);
	script_stop(&s);
	imds_close(imds);
	begin(read);
	assert_ok(imds_read(imds, list, 1, clock_in_ms(700), &e));
	assert_int_equal(one.rc, -EAGAIN);
	assert_string_equal(one.err.text,
	                    "reading '" PATH "': the metadata service answers with status 500");
	assert_int_equal(script_count(&s, "GET"), 2);
	script_stop(&s);
	imds_close(imds);
	begin(silent);
	imds_read_close(&one);
	one = (struct imds_read){.path = PATH, .max = 5};
	assert_ok(imds_read(imds, list, 1, clock_in_ms(400), &e));
	assert_int_equal(one.rc, -ETIMEDOUT);
	assert_int_equal(one.err.kind, ERR_RETRY);
	assert_int_equal(one.err.reason, REASON_IMDS_UNREACHABLE);
	assert_non_null(strstr(one.err.text, "reading '" PATH "' from the metadata service: "));
}

/* A connection that breaks off is tried again, and each try begins anew. */
static void half_an_answer_is_none(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,          {"GET", 1, 200, NULL, "ha", 0, 0, 2}, {"GET", 1, 0, NULL},
	        {"GET", 1, 404, NULL}, {"GET", 0, 200, NULL, "whole"},       {0},
	};

	(void)state;
	begin(rows);
	assert_ok(read_path(PATH, 10, true));
	assert_int_equal(one.rc, 0);
	assert_false(one.absent);
	assert_string_equal(one.text.data, "whole");
	assert_int_equal(script_count(&s, "GET"), 4);
}

static void failures_that_last(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {503, ERR_RETRY, REASON_IMDS_UNREACHABLE}, {403, ERR_DENIED, REASON_IMDS_FORBIDDEN},
	        {400, ERR_DENIED, REASON_IMDS_PROTOCOL},   {302, ERR_DENIED, REASON_IMDS_PROTOCOL},
	        {499, ERR_DENIED, REASON_IMDS_PROTOCOL},   {418, ERR_DENIED, REASON_IMDS_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        SCRIPT_TOKEN,
		        {"GET", 0, rows[i].status, NULL},
		        {0},
		};

		imds_close(imds);
		script_stop(&s);
		begin(script);
		assert_ok(read_path(PATH, 5, false));
		assert_true(one.rc < 0);
		/* With pauses, and only what may pass. */
		assert_in_range(script_count(&s, "GET"), rows[i].kind == ERR_RETRY ? 3 : 1,
		                rows[i].kind == ERR_RETRY ? 60 : 1);
		assert_int_equal(one.err.kind, rows[i].kind);
		assert_int_equal(one.err.reason, rows[i].reason);
	}
}

static void names(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
	        {"node", "node"},
	        {" node \t\r\nother", "node"},
	        {"\r\n\nnode\n", "node"},
	        {"a+=,.@_:-9Z", "a+=,.@_:-9Z"},
	        {"", NULL},
	        {" \t\n", NULL},
	        {"a b", NULL},
	        {"a/b", NULL},
	        {"a\x7f", NULL},
	        {"azAZ09", "azAZ09"},
	        {"`", NULL},
	        {"{", NULL},
	        {"[", NULL},
	        {"/", NULL},
	        {";", NULL},
	        {"\rnode", "node"},
	};

	(void)state;
	s = script_start((const struct script_row[]){{0}});
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct imds_read r = {0};

		http_buffer_add(&r.text, rows[i].text, strlen(rows[i].text));
		if (rows[i].name)
			assert_string_equal(imds_name(&r, a), rows[i].name);
		else
			assert_null(imds_name(&r, a));
		imds_read_close(&r);
	}
	struct imds_read nul = {0};
	http_buffer_add(&nul.text, "a\0b", 3);
	assert_null(imds_name(&nul, a));
	imds_read_close(&nul);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(a_body_at_its_ceiling),
	        TEST(absent_now_and_late),
	        TEST(never_there_is_absent_after_half_a_minute),
	        TEST(what_is_tried_again),
	        TEST(the_service_says_when),
	        TEST(an_earlier_answer_says_more_than_a_timeout),
	        TEST(half_an_answer_is_none),
	        TEST(failures_that_last),
	        TEST(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
