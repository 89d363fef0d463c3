/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/err. */
#include "base/err.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "unit.h"

static void sets_and_wraps(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(
	        err_set(&e, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES, "key '%s'", "a\nb"),
	        -EACCES);
	assert_string_equal(e.text, "key 'a\\x0ab'");
	assert_int_equal(err_wrap(&e, "fetching %s", "x"), -EACCES);
	assert_string_equal(e.text, "fetching x: key 'a\\x0ab'");
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(e.reason, REASON_S3_ACCESS_DENIED);
	assert_int_equal(err_errno(&e, ENOSPC, "writing '%s'", "f"), -ENOSPC);
	assert_string_equal(e.text, "writing 'f': No space left on device");
	assert_int_equal(e.reason, REASON_HOST_SPACE);
}

static void cuts_long_text(void **state)
{
	char big[2000];
	struct err e;
	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&e, ERR_HOST, REASON_HOST_FILE, EIO, "%s", big);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_string_equal(e.text + sizeof e.text - 4, "...");
}

static void cuts_between_characters(void **state)
{
	struct err e = {0};
	char text[2 * sizeof e.text];

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) { /* wherever the cut falls */
		memset(text, 'x', lead);
		for (size_t i = lead; i + 3 < sizeof text; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		err_set(&e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "%s", text);
		assert_true(str_utf8_valid((struct blob){e.text, strlen(e.text)}, &(size_t){0}));
		assert_true(str_ends(e.text, "..."));
	}
	memset(text, 'x', sizeof e.text - 1);
	text[sizeof e.text - 1] = '\0';
	err_set(&e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "%s", text);
	assert_string_equal(e.text, text);
}

/* The longest text that fits is whole; one byte more is cut. */
static void cuts_only_what_is_too_long(void **state)
{
	struct err e = {0};
	char text[sizeof e.text + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof e.text - 1] = '\0';
	err_set(&e, ERR_HOST, REASON_HOST_FILE, EIO, "%s", text);
	assert_string_equal(e.text, text);
	text[sizeof e.text - 1] = 'x';
	text[sizeof e.text] = '\0';
	err_set(&e, ERR_HOST, REASON_HOST_FILE, EIO, "%s", text);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_string_equal(e.text + sizeof e.text - 5, "x...");
}

static void system_errors(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_errno(&e, EDQUOT, "writing"), -EDQUOT);
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(err_errno(&e, EROFS, "writing"), -EROFS);
	assert_int_equal(e.reason, REASON_HOST_FILE);
	assert_int_equal(e.no, EROFS);
	/* A caller that has no number still fails. */
	assert_int_equal(err_set(&e, ERR_BUG, REASON_BUG, 0, "x"), -EIO);
	assert_int_equal(err_set(&e, ERR_BUG, REASON_BUG, -5, "x"), -EIO);
	assert_int_equal(e.no, EIO);
}

static void kinds_have_names(void **state)
{
	static const char *const names[] = {"none",  "input",     "denied", "absent",
	                                    "retry", "integrity", "host",   "bug"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(err_kind_name((enum err_kind)i), names[i]);
	assert_string_equal(err_kind_name((enum err_kind)999), "bug");
	assert_int_equal(err_exit_status((enum err_kind)999), 70);
	assert_int_equal(err_exit_status((enum err_kind)(ERR_USAGE + 1)), 70);
	assert_string_equal(err_kind_name((enum err_kind)(ERR_USAGE + 1)), "bug");
}

/* `explain` and every status file rely on each reason having a name of its own and words. */
static void every_reason_is_explained(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const struct reason_row *r = reason_row((enum reason)i);

		assert_non_null(r->name);
		assert_non_null(r->meaning);
		assert_non_null(r->hint);
		assert_int_equal(reason_by_name(r->name), i);
		assert_true(!*r->hint || strlen(r->hint) > 10);
	}
	assert_int_equal(reason_by_name("no-such"), REASON_COUNT);
	assert_string_equal(reason_row((enum reason)9999)->name, "bug");
}

static void exit_statuses(void **state)
{
	static const int want[] = {0, 3, 4, 4, 4, 5, 1, 70, 6, 7, 2};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(err_exit_status((enum err_kind)i), want[i]);
}

static void keep(void *ctx, enum log_level level, const char *text, const struct log_field *fields,
                 size_t n)
{
	(void)level, (void)fields, (void)n;
	snprintf(ctx, 200, "%s", text);
}

static void log_has_no_secrets(void **state)
{
	static const char *const cases[][2] = {
	        {"key AKIAIOSFODNN7EXAMPLE.", "key AKIA****************."},
	        {"ASIA is a continent", "ASIA is a continent"},
	        {"GET /?X-Amz-Signature=abc&x=1", "GET /?X-Amz-Signature=***&x=1"},
	        {"X-aws-ec2-metadata-token: SECRET", "X-aws-ec2-metadata-token: ******"},
	        {"https://me:pw@host/p", "https://*****@host/p"},
	        {"two\nlines\x1b[1m", "two\\x0alines\\x1b[1m"},
	};
	char got[200];
	(void)state;
	log_set_sink(keep, got, LOG_LEVEL_INFO);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		log_info("%s", cases[i][0]);
		assert_string_equal(got, cases[i][1]);
	}
	log_debug("dropped");
	assert_string_not_equal(got, "dropped");
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sets_and_wraps),
	        cmocka_unit_test(cuts_long_text),
	        cmocka_unit_test(cuts_between_characters),
	        cmocka_unit_test(cuts_only_what_is_too_long),
	        cmocka_unit_test(system_errors),
	        cmocka_unit_test(kinds_have_names),
	        cmocka_unit_test(every_reason_is_explained),
	        cmocka_unit_test(exit_statuses),
	        cmocka_unit_test(log_has_no_secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
