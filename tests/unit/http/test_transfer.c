/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/transfer. */
#include "unit.h"

#include <errno.h>

#include "http/transfer.h"

static char body[64];
static size_t len;
static unsigned restarts;
static struct err why; /* of the last try */

static int restart(void *ctx, struct err *e)
{
	(void)ctx, (void)e;
	restarts++;
	len = 0;
	return 0;
}

static int take(void *ctx, const void *data, size_t n, struct err *e)
{
	(void)ctx, (void)e;
	memcpy(body + len, data, n);
	len += n;
	body[len] = '\0';
	return 0;
}

static int refuse(void *ctx, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_HOST, REASON_HOST_SPACE, ENOSPC, "no room");
}

static int refuse_data(void *ctx, const void *data, size_t n, struct err *e)
{
	(void)data, (void)n;
	return refuse(ctx, e);
}

static const struct transfer_sink sink = {NULL, restart, take};

static int one_try(struct transfer *t, int status, const char *etag, const char *range,
                   const char *text)
{
	struct http_exchange x = {.status = status, .ctx = t};
	int r;

	snprintf(x.etag, sizeof x.etag, "%s", etag);
	snprintf(x.content_range, sizeof x.content_range, "%s", range);
	r = transfer_begin(&x);
	if (r == 0)
		r = transfer_write(&x, text, strlen(text));
	why = x.err;
	return r;
}

static struct transfer fresh(void)
{
	len = 0;
	restarts = 0;
	return (struct transfer){.sink = &sink, .max = 10};
}

static void test_the_rest_follows(void **state)
{
	struct transfer t = fresh();

	(void)state;
	assert_false(transfer_resumes(&t));
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), 0);
	assert_true(transfer_resumes(&t));
	assert_string_equal(t.range, "bytes=4-");
	assert_int_equal(one_try(&t, 206, "\"a\"", "bytes 4-5/6", "45"), 0);
	assert_string_equal(body, "012345");
	assert_int_equal(restarts, 0);
}

static void test_all_of_it_comes_again(void **state)
{
	struct transfer t = fresh();

	(void)state;
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), 0);
	assert_true(transfer_resumes(&t));
	assert_int_equal(one_try(&t, 200, "\"b\"", "", "ab"), 0);
	assert_string_equal(body, "ab");
	assert_int_equal(restarts, 1);
	assert_int_equal(t.got, 2);
}

static void test_two_contents_never_meet(void **state)
{
	static const struct {
		const char *etag, *range;
	} rows[] = {{"\"b\"", "bytes 4-5/6"}, {"", "bytes 4-5/6"},
	            {"\"a\"", "bytes 3-5/6"}, {"\"a\"", ""},
	            {"\"a\"", "bytes 40-"},   {"\"a\"", "pages 4-5/6"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct transfer t = fresh();

		assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), 0);
		assert_true(transfer_resumes(&t));
		assert_true(one_try(&t, 206, rows[i].etag, rows[i].range, "45") < 0);
		assert_int_equal(why.kind, ERR_RETRY);
		assert_string_equal(body, "0123");
		assert_false(transfer_resumes(&t));
		assert_int_equal(one_try(&t, 200, "\"b\"", "", "x"), 0);
		assert_string_equal(body, "x");
	}
}

static void test_without_a_tag_that_can_be_relied_on(void **state)
{
	static const char *const tags[] = {"", "W/\"a\"", "a"};

	(void)state;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		struct transfer t = fresh();

		assert_int_equal(one_try(&t, 200, tags[i], "", "0123"), 0);
		assert_false(transfer_resumes(&t));
	}
}

static void test_answers_that_were_not_asked_for(void **state)
{
	struct transfer t = fresh();

	(void)state;
	assert_int_equal(one_try(&t, 206, "\"a\"", "bytes 0-3/4", "0123"), -EPROTO);
	assert_int_equal(why.kind, ERR_DENIED);
	assert_int_equal(one_try(&t, 204, "", "", ""), -EPROTO);
	assert_int_equal(why.kind, ERR_DENIED);
	assert_int_equal(why.reason, REASON_HTTP_STATUS);
	assert_int_equal(len, 0);
}

/* Where it goes has the last word. */
static void test_a_sink_that_refuses(void **state)
{
	static const struct transfer_sink full = {NULL, restart, refuse_data};
	static const struct transfer_sink stuck = {NULL, refuse, take};
	struct transfer t = fresh();

	(void)state;
	t.sink = &full;
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), -ENOSPC);
	assert_int_equal(why.kind, ERR_HOST);
	t = fresh();
	t.sink = &stuck;
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), 0); /* nothing to begin again */
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), -ENOSPC);
	assert_int_equal(why.reason, REASON_HOST_SPACE);
}

static void test_what_was_reset_begins_anew(void **state)
{
	struct transfer t = fresh();

	(void)state;
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123"), 0);
	assert_true(transfer_resumes(&t));
	transfer_reset(&t);
	assert_false(transfer_resumes(&t));
}

static void test_ceiling(void **state)
{
	struct transfer t = fresh();

	(void)state;
	assert_int_equal(one_try(&t, 200, "\"a\"", "", "0123456789"), 0);
	assert_true(transfer_resumes(&t));
	assert_int_equal(one_try(&t, 206, "\"a\"", "bytes 10-10/11", "x"), -EFBIG);
	assert_int_equal(why.kind, ERR_DENIED);
	assert_int_equal(why.reason, REASON_HTTP_TOO_LARGE);
	assert_string_equal(body, "0123456789");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_rest_follows),
	        cmocka_unit_test(test_all_of_it_comes_again),
	        cmocka_unit_test(test_two_contents_never_meet),
	        cmocka_unit_test(test_without_a_tag_that_can_be_relied_on),
	        cmocka_unit_test(test_answers_that_were_not_asked_for),
	        cmocka_unit_test(test_a_sink_that_refuses),
	        cmocka_unit_test(test_what_was_reset_begins_anew),
	        cmocka_unit_test(test_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
