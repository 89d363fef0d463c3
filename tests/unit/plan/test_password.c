/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords that a step fetches: what counts as one, and how often it is asked for. */
#include "scratch.h"

#include "base/clock.h"
#include "plan/password.h"

static struct step_ctx ctx;
static struct password got;

static int begin(void **state)
{
	set_up(state);
	ctx = (struct step_ctx){.cloud = cloud_open(&(struct cloud_config){0}),
	                        .arena = arena,
	                        .deadline = clock_in_ms(60000)};
	return 0;
}

static int end(void **state)
{
	cloud_close(ctx.cloud);
	password_close(&got);
	return tear_down(state);
}

static int fetch(void)
{
	e = (struct err){0};
	return password_get(&ctx, arena_printf(arena, "file:%s/p", top),
	                    "reading the password of x", &got, &e);
}

static void it_is_fetched_once(void **state)
{
	(void)state;
	put("p", "first\n");
	assert_ok(fetch());
	assert_string_equal(got.text.data, "first");
	assert_int_equal(got.text.len, 5);
	put("p", " second \r\n\r\n");
	assert_ok(fetch());
	assert_string_equal(got.text.data, "first");
	password_close(&got);
	assert_int_equal(got.text.len, 0);
	assert_int_equal(got.text.data[0], 0);
	assert_ok(fetch());
	assert_string_equal(got.text.data, " second ");
}

static void what_is_none(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
	        {"", "reading the password of x: it is empty"},
	        {"\r\n", "reading the password of x: it is empty"},
	        {"a\nb\n", "reading the password of x: it has control characters or several lines"},
	        {"a\tb", "several lines"},
	        {"a\x7f", "several lines"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("p", rows[i].text);
		assert_err(fetch(), ERR_INPUT, rows[i].words);
		assert_int_equal(e.reason, REASON_PASSWORD_INVALID);
		assert_false(got.known);
		assert_int_equal(got.text.len, 0);
	}
	put("p", "\xc3\xa4~ ");
	assert_ok(fetch());
}

static void images_get_none(void **state)
{
	struct cloud *cloud = ctx.cloud;

	(void)state;
	put("p", "first\n");
	ctx.cloud = NULL;
	assert_err(fetch(), ERR_INPUT, "reading the password of x: not into an image");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	ctx.cloud = cloud;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(it_is_fetched_once, begin, end),
	        cmocka_unit_test_setup_teardown(what_is_none, begin, end),
	        cmocka_unit_test_setup_teardown(images_get_none, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
