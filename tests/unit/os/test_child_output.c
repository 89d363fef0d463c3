/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a child's output, and its lines as they come. */
#include "child_test.h"

static int say_ten(void *ctx)
{
	(void)ctx;
	say(1, "0123456789");
	say(2, "0123456789");
	return 0;
}

static int say_eleven(void *ctx)
{
	(void)ctx;
	say(1, "0123456789x");
	say(2, "0123456789x");
	return 0;
}

static int say_much(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < 50000; i++) {
		say(1, "abc");
		say(2, "def");
	}
	return 0;
}

/* The first bytes of one stream, the last of the other; all of it is read. */
static void output_at_its_ceilings(void **state)
{
	(void)state;
	assert_ok(run(say_ten));
	assert_string_equal(end.out.data, "0123456789");
	assert_int_equal(end.out.len, 10);
	assert_string_equal(end.errout.data, "0123456789");
	assert_ok(run(say_eleven));
	assert_string_equal(end.out.data, "0123456789");
	assert_string_equal(end.errout.data, "123456789x");
	assert_ok(run(say_much));
	assert_string_equal(end.out.data, "abcabcabca");
	assert_string_equal(end.errout.data, "fdefdefdef");
	assert_int_equal(end.errout.len, 10);
	assert_ok(run(exit_seven));
	assert_string_equal(end.out.data, "");
	assert_int_equal(end.errout.len, 0);
}

/* Where nothing is to be kept nothing is, and all of it is read. */
static void output_that_nobody_wants(void **state)
{
	const struct child_spec spec = {
	        .main = say_much, .in = -1, .deadline = clock_in_ms(GUARD_MS)};

	(void)state;
	assert_ok(child_run(&spec, a, &end, &e));
	assert_int_equal(end.status, 0);
	assert_int_equal(end.out.len, 0);
	assert_int_equal(end.errout.len, 0);
	assert_string_equal(end.out.data, "");
	assert_string_equal(end.errout.data, "");
}

static int close_its_output(void *ctx)
{
	(void)ctx;
	close(1);
	close(2);
	(void)clock_sleep_ms(600, CLOCK_NEVER);
	return 0;
}

/* One that says nothing more is waited for, not asked again and again. */
static void output_that_ends_early(void **state)
{
	clock_t before = clock();

	(void)state;
	assert_ok(run(close_its_output));
	assert_int_equal(end.status, 0);
	assert_true(clock() - before < CLOCKS_PER_SEC / 10); /* of the processor's time */
}

static int say_lines(void *ctx)
{
	(void)ctx;
	say(2, "one\ntwo\n\nthr");
	say(2, "ee\nlast");
	return 0;
}

static char lines[256];

static void take_line(void *ctx, const char *line)
{
	assert_ptr_equal(ctx, lines);
	snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s|", line);
}

static void lines_as_they_come(void **state)
{
	const struct child_spec spec = {.main = say_lines,
	                                .in = -1,
	                                .err_max = 100,
	                                .deadline = clock_in_ms(GUARD_MS),
	                                .line = take_line,
	                                .line_ctx = lines};

	(void)state;
	*lines = '\0';
	assert_ok(child_run(&spec, a, &end, &e));
	assert_non_null(strstr(lines, "one|two|"));
	assert_non_null(strstr(lines, "three|last|"));
	assert_string_equal(end.errout.data, "one\ntwo\n\nthree\nlast");
}

static int say_long_lines(void *ctx)
{
	char line[1027];

	(void)ctx;
	memset(line, 'l', sizeof line);
	line[1024] = '\n';
	say(1, "out");
	(void)!write(2, line, 1025);
	line[1024] = 'l';
	line[1025] = '\n';
	(void)!write(2, line, 1026);
	return 0;
}

static size_t lengths[8], n_lengths;

static void take_length(void *ctx, const char *line)
{
	(void)ctx;
	if (n_lengths < ARRAY_LEN(lengths))
		lengths[n_lengths++] = strlen(line);
}

/* A line of more than 1024 bytes comes in pieces; the last of a stream without its end as well. */
static void lines_that_are_long(void **state)
{
	const struct child_spec spec = {.main = say_long_lines,
	                                .in = -1,
	                                .deadline = clock_in_ms(GUARD_MS),
	                                .line = take_length};
	size_t sum = 0;

	(void)state;
	n_lengths = 0;
	assert_ok(child_run(&spec, a, &end, &e));
	for (size_t i = 0; i < n_lengths; i++) {
		assert_true(lengths[i] <= 1024);
		sum += lengths[i];
	}
	assert_int_equal(sum, 1024 + 1025 + 3);
	assert_int_equal(n_lengths, 5); /* "out", 1024 and an end, 1024, and one more */
}

int main(void)
{
#define CHILD(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        CHILD(output_that_nobody_wants), CHILD(output_that_ends_early),
	        CHILD(lines_that_are_long),      CHILD(output_at_its_ceilings),
	        CHILD(lines_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
