/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches the sink, and what of it is blanked. */
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "unit.h"

struct seen {
	char text[4096];
	enum log_level level;
	size_t fields, calls;
	char field[64];
};

static void keep(void *ctx, enum log_level level, const char *text, const struct log_field *fields,
                 size_t n)
{
	struct seen *s = ctx;

	snprintf(s->text, sizeof s->text, "%s", text);
	s->level = level;
	s->fields = n;
	s->calls++;
	if (n)
		snprintf(s->field, sizeof s->field, "%s=%s", fields[n - 1].name,
		         fields[n - 1].value);
}

static int no_sink(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	return 0;
}

static void levels(void **state)
{
	struct seen s = {0};
	(void)state;
	log_err("nobody listens");
	log_set_sink(keep, &s, LOG_LEVEL_NOTICE);
	assert_int_equal(s.calls, 0);
	log_err("a %d", 1);
	assert_string_equal(s.text, "a 1");
	assert_int_equal(s.level, LOG_LEVEL_ERR);
	log_warning("b");
	assert_int_equal(s.level, LOG_LEVEL_WARNING);
	log_notice("c");
	assert_int_equal(s.level, LOG_LEVEL_NOTICE);
	log_info("d");
	log_debug("e");
	assert_string_equal(s.text, "c");
	assert_int_equal(s.calls, 3);
	log_set_sink(keep, &s, LOG_LEVEL_DEBUG);
	log_debug("f");
	assert_int_equal(s.level, LOG_LEVEL_DEBUG);
	log_info("g");
	assert_int_equal(s.level, LOG_LEVEL_INFO);
	assert_int_equal(s.fields, 0);
}

static void fields_pass(void **state)
{
	static const struct log_field fields[] = {{"A", "1"}, {"HPC_STEP", "x"}};
	struct seen s = {0};
	(void)state;
	log_set_sink(keep, &s, LOG_LEVEL_INFO);
	log_record(LOG_LEVEL_INFO, fields, 2, "%s", "text");
	assert_int_equal(s.fields, 2);
	assert_string_equal(s.field, "HPC_STEP=x");
	assert_string_equal(s.text, "text");
}

static void one_line_of_bounded_length(void **state)
{
	struct seen s = {0};
	char big[5000];
	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	log_set_sink(keep, &s, LOG_LEVEL_INFO);
	log_info("%s", big);
	assert_int_equal(strlen(s.text), 2047);
	log_info("a\nb\r\x1b[1m\xff");
	assert_string_equal(s.text, "a\\x0ab\\x0d\\x1b[1m\\xff");
}

static void redacts(void **state)
{
	static const char *const cases[][2] = {
	        /* Key ids have 16 or more characters behind their prefix. */
	        {"AKIA0123456789ABCDEF", "AKIA****************"},
	        {"AKIA0123456789ABCDE", "AKIA0123456789ABCDE"},
	        {"xASIA0123456789ABCDEFGH AKIA0123456789ABCDEF.",
	         "xASIA****************** AKIA****************."},
	        {"AKIA0123456789ABCDEf", "AKIA0123456789ABCDEf"},
	        {"AAKIA0123456789ABCDEF", "AAKIA****************"},
	        {"AROA0123456789ABCDEF", "AROA0123456789ABCDEF"},
	        /* Values in a query end at its next one, those of a header at the line's end. */
	        {"?X-Amz-Security-Token=a/b%3D&X-Amz-Credential=k&x=1",
	         "?X-Amz-Security-Token=******&X-Amz-Credential=*&x=1"},
	        {"x-amz-signature=0123\"", "x-amz-signature=****\""},
	        {"x-amz-signature=0123' x-amz-signature=4 a",
	         "x-amz-signature=****' x-amz-signature=* a"},
	        {"Authorization: AWS4 Credential=a", "Authorization: *****************"},
	        {"X-Amz-Security-Token:a b", "X-Amz-Security-Token:***"},
	        {"x-aws-ec2-metadata-token: t\nnext", "x-aws-ec2-metadata-token: *\nnext"},
	        {"authorization:", "authorization:"},
	        /* What stands before the host, and only there. */
	        {"http://a@b@host/x@y", "http://***@host/x@y"},
	        {"s3://bucket/a@b https://u:p@h?q", "s3://bucket/a@b https://***@h?q"},
	        {"://@", "://@"},
	        {"mail a@b", "mail a@b"},
	        {"", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[200];

		snprintf(text, sizeof text, "%s", cases[i][0]);
		log_redact(text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void to_stderr(void **state)
{
	char name[] = "program", text[100] = "";
	int pipefd[2], old = dup(STDERR_FILENO);
	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	dup2(pipefd[1], STDERR_FILENO);
	log_set_sink(log_stderr_sink, name, LOG_LEVEL_INFO);
	log_info("a line");
	dup2(old, STDERR_FILENO);
	close(old);
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], text, sizeof text - 1), strlen("program: a line\n"));
	close(pipefd[0]);
	assert_string_equal(text, "program: a line\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(levels, no_sink),
	        cmocka_unit_test_teardown(fields_pass, no_sink),
	        cmocka_unit_test_teardown(one_line_of_bounded_length, no_sink),
	        cmocka_unit_test(redacts),
	        cmocka_unit_test_teardown(to_stderr, no_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
