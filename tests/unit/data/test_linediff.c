/* SPDX-License-Identifier: Apache-2.0 */
/* Texts compared by lines: what diff -u says of the same. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/linediff.h"

static struct arena *a;
static char got[4096];

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(a);
	return 0;
}

static void keep(void *ctx, const char *line)
{
	size_t len = strlen(got);

	(void)ctx;
	snprintf(got + len, sizeof got - len, "%s\n", line);
}

static const char *diff(const char *from, const char *to)
{
	got[0] = '\0';
	assert_int_equal(linediff((struct blob){from, strlen(from)}, (struct blob){to, strlen(to)},
	                          a, keep, NULL),
	                 0);
	return got;
}

static void as_diff_has_it(void **state)
{
	(void)state;
	assert_string_equal(diff("a\nb\nc\n", "a\nb\nc\n"), "");
	assert_string_equal(diff("", ""), "");
	assert_string_equal(diff("a\nb\nc\n", "a\nB\nc\n"), "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
	assert_string_equal(diff("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
	assert_string_equal(diff("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
	assert_string_equal(diff("a", "a\n"),
	                    "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
	/* Two hunks, as 7 lines lie between; one, as 6 do. */
	assert_string_equal(
	        diff("x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\nz\n"),
	        "@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,4 @@\n 5\n 6\n 7\n-y\n+z\n");
	assert_string_equal(diff("x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\nz\n"),
	                    "@@ -1,8 +1,7 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n+z\n");
	/* The longest that both have stays. */
	assert_string_equal(diff("a\nb\nc\nd\n", "b\nd\na\n"),
	                    "@@ -1,4 +1,3 @@\n-a\n b\n-c\n d\n+a\n");
}

static void many_lines(void **state)
{
	size_t len = 2 * (LINEDIFF_LINES_MAX + 1);
	char *x = arena_alloc(a, len), *y = arena_alloc(a, len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		x[i] = y[i] = i % 2 ? '\n' : (char)('a' + i / 2 % 7);
	got[0] = '\0';
	assert_int_equal(linediff((struct blob){x, len}, (struct blob){y, 2}, a, keep, NULL), -1);
	assert_string_equal(got, "");
	/* Without anything in common: no table of 16 million cells, the right answer all the same. */
	for (size_t i = 0; i < len; i += 2)
		y[i] = 'z';
	assert_int_equal(
	        linediff((struct blob){x, len - 2}, (struct blob){y, len - 2}, a, keep, NULL), 0);
	assert_memory_equal(got, "@@ -1,4000 +1,4000 @@\n-a\n-b\n", 28);
}

static void append(char *out, const char *text, size_t len)
{
	char *end = out + strlen(out);

	memcpy(end, text, len);
	end[len] = '\0';
}

/* The second text again, made of the first by what is in `got`. */
static const char *applied(const char *from, char *out)
{
	size_t line = 1;

	*out = '\0';
	for (const char *l = got; *l; l = strchr(l, '\n') + 1) {
		size_t len = strcspn(l, "\n");

		if (*l == '@') {
			size_t first = strtoul(l + 4, NULL, 10);
			const char *n = l + 4 + strcspn(l + 4, ",");

			for (first += str_starts(n, ",0 "); line < first; line++, from += 2)
				append(out, from, 2);
			continue;
		}
		if (*l != '-')
			append(out, l + 1, len);
		if (*l == '+')
			continue;
		assert_memory_equal(from, l + 1, len);
		from += 2;
		line++;
	}
	append(out, from, strlen(from));
	return out;
}

static void it_can_be_applied(void **state)
{
	char x[200], y[200], made[400];
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		size_t n = 0, m = 0;

		x[0] = y[0] = '\0';
		for (size_t i = 0; i < 40; i++) {
			const char line[] = {(char)('a' + rand_r(&seed) % 5), '\n', '\0'};

			if (rand_r(&seed) % 8)
				n = (size_t)(stpcpy(x + n, line) - x);
			if (rand_r(&seed) % 8)
				m = (size_t)(stpcpy(y + m, line) - y);
		}
		diff(x, y);
		assert_string_equal(applied(x, made), y);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(as_diff_has_it), TEST(many_lines),
	                                   TEST(it_can_be_applied)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
