/* SPDX-License-Identifier: Apache-2.0 */
/* Booleans and integers of our documents and of foreign ones. */
#include <errno.h>

#include "data/scalar.h"
#include "unit.h"

struct number {
	const char *text;
	int r;
	int64_t value;
};

static void check(bool foreign, bool quoted, const struct number *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct doc d = {.type = DOC_SCALAR,
		                      .foreign = foreign,
		                      .quoted = quoted,
		                      .text = rows[i].text};
		int64_t value = 77;

		print_message("[%zu] %s\n", i, rows[i].text);
		assert_int_equal(scalar_i64(&d, -1000000, 1000000, &value), rows[i].r);
		assert_int_equal(value, rows[i].r < 0 ? 77 : rows[i].value);
	}
}

/* The left column as PyYAML 6's safe_load resolves it. */
static const struct number yaml11[] = {
        {"0", 0, 0},
        {"7", 0, 7},
        {"-7", 0, -7},
        {"+7", 0, 7},
        {"00", 0, 0},
        {"-0", 0, 0},
        {"010", 0, 8},
        {"-010", 0, -8},
        {"0_1_0", 0, 8},
        {"0x1F", 0, 31},
        {"0xff", 0, 255},
        {"-0xA", 0, -10},
        {"+0x_1_0", 0, 16},
        {"0b101", 0, 5},
        {"1_000", 0, 1000},
        {"1_", 0, 1},
        {"1:30", 0, 90},
        {"-1:30:05", 0, -5405},
        {"10:9", 0, 609},
        {"1000000", 0, 1000000},
        {"-1000000", 0, -1000000},
        {"1000001", -ERANGE, 0},
        {"-1000001", -ERANGE, 0},
        {"9223372036854775808", -ERANGE, 0},
        {"-9223372036854775809", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"0xFFFFFFFFFFFFFFFFF", -ERANGE, 0},
        {"307445734561825861:0", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"+", -EINVAL, 0},
        {"_1", -EINVAL, 0},
        {"--1", -EINVAL, 0},
        {"08", 0, 8}, /* no number of YAML 1.1, so a text, and int() takes it */
        {"+08", 0, 8},
        {"1.0e+1", 0, 10},
        {"1_5.e-1", 0, 1},
        {".5", 0, 0},
        {".5e+1", 0, 5},
        {"-1.9", 0, -1},
        {"1.0e+6", 0, 1000000},
        {"1.0e+7", -ERANGE, 0},
        {"1.0e+400", -ERANGE, 0},
        {"-.5", -EINVAL, 0},
        {"1.0e+", -EINVAL, 0},
        {".", -EINVAL, 0},
        {".e+1", -EINVAL, 0},
        {".inf", -EINVAL, 0},
        {"08.5x", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"0xG", -EINVAL, 0},
        {"0b2", -EINVAL, 0},
        {"0o17", -EINVAL, 0},
        {"1.0", 0, 1},
        {"-1.0", 0, -1},
        {"010.00", 0, 10},
        {"1_0._0", 0, 10},
        {"7.", 0, 7},
        {"1000001.0", -ERANGE, 0},
        {"18446744073709551616.0", -ERANGE, 0},
        {"1.5", 0, 1},
        {"1.0e1", -EINVAL, 0},
        {"1.0.0", -EINVAL, 0},
        {".0", 0, 0},
        {"0x1.0", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"1:60", -EINVAL, 0},
        {"1:", -EINVAL, 0},
        {"1:100", -EINVAL, 0},
        {"1:3x", -EINVAL, 0},
        {"1:3_0", -EINVAL, 0},
        {"a", -EINVAL, 0},
        {"1a", -EINVAL, 0},
        {" 1", 0, 1}, /* not of a file: a plain scalar has no blanks around it */
};

static const struct number ours[] = {
        {"0", 0, 0},          {"-7", 0, -7},           {"010", 0, 10},      {"1000000", 0, 1000000},
        {"+7", -EINVAL, 0},   {"0x1F", -EINVAL, 0},    {"1_0", -EINVAL, 0}, {"1.0", -EINVAL, 0},
        {"1:30", -EINVAL, 0}, {"1000001", -ERANGE, 0},
};

/* Python's int() of a text. */
static const struct number quoted[] = {
        {"0", 0, 0},         {"-7", 0, -7},        {"010", 0, 10},          {"+7", 0, 7},
        {" 10\n", 0, 10},    {"1_0", 0, 10},       {"1000001", -ERANGE, 0}, {"1__0", -EINVAL, 0},
        {"_1", -EINVAL, 0},  {"1_", -EINVAL, 0},   {"1 0", -EINVAL, 0},     {"", -EINVAL, 0},
        {" ", -EINVAL, 0},   {"+-7", -EINVAL, 0},  {"+", -EINVAL, 0},       {"0x1F", -EINVAL, 0},
        {"1.0", -EINVAL, 0}, {"1:30", -EINVAL, 0}, {"1e3", -EINVAL, 0},
};

static void test_numbers(void **state)
{
	(void)state;
	check(true, false, yaml11, ARRAY_LEN(yaml11));
	check(false, false, ours, ARRAY_LEN(ours));
	check(true, true, quoted, ARRAY_LEN(quoted));
}

/* As PyYAML resolves it and float() takes it, infinity and nan excepted. */
static void test_fractions(void **state)
{
	static const struct {
		const char *text;
		int plain, quoted;
		double value;
	} rows[] = {
	        {"0.5", 0, 0, 0.5},
	        {".5", 0, 0, 0.5},
	        {"-.5", 0, 0, -0.5},
	        {"3", 0, 0, 3},
	        {"1e3", 0, 0, 1000},
	        {"1.5e1", 0, 0, 15},
	        {"1_0.5", 0, 0, 10.5},
	        {"1.5e-1", 0, 0, 0.15},
	        {"0x10", 0, -EINVAL, 16},
	        {"1:30", 0, -EINVAL, 90},
	        {"1_", 0, -EINVAL, 1},
	        {"1._5", 0, -EINVAL, 1.5},
	        {"x", -EINVAL, -EINVAL, 0},
	        {"", -EINVAL, -EINVAL, 0},
	        {"nan", -EINVAL, -EINVAL, 0},
	        {".inf", -EINVAL, -EINVAL, 0},
	        {"inf", -EINVAL, -EINVAL, 0},
	        {"0x1.8p1", -EINVAL, -EINVAL, 0},
	        {"1e999", -ERANGE, -ERANGE, 0},
	        {"1.0.0", -EINVAL, -EINVAL, 0},
	        {"1e", -EINVAL, -EINVAL, 0},
	        {".", -EINVAL, -EINVAL, 0},
	        {"true", -EINVAL, -EINVAL, 0},
	        {"0,5", -EINVAL, -EINVAL, 0},
	        {"0.5USD", -EINVAL, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const struct doc d = {.type = DOC_SCALAR,
		                      .foreign = true,
		                      .quoted = i % 2,
		                      .text = rows[i / 2].text};
		int expected = i % 2 ? rows[i / 2].quoted : rows[i / 2].plain;
		double value = 77;

		print_message("%s, %s\n", d.text, d.quoted ? "quoted" : "plain");
		assert_int_equal(scalar_number(&d, &value), expected);
		assert_true(value == (expected < 0 ? 77 : rows[i / 2].value));
	}
	const struct doc map = {.type = DOC_MAP, .foreign = true};
	double value = 77;
	assert_int_equal(scalar_number(&map, &value), -EINVAL);
}

static void test_extremes(void **state)
{
	const struct doc max = {.type = DOC_SCALAR, .foreign = true, .text = "0x7fffffffffffffff"};
	const struct doc min = {
	        .type = DOC_SCALAR, .foreign = true, .text = "-9223372036854775808"};
	int64_t value = 0;

	(void)state;
	assert_int_equal(scalar_i64(&max, INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(scalar_i64(&min, INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MIN);
}

static void test_booleans(void **state)
{
	static const struct {
		const char *text;
		int ours, foreign; /* the value, or -EINVAL */
	} rows[] = {
	        {"true", 1, 1},
	        {"True", 1, 1},
	        {"YES", 1, 1},
	        {"on", 1, 1},
	        {"false", 0, 0},
	        {"No", 0, 0},
	        {"OFF", 0, 0},
	        {"y", -EINVAL, 1},
	        {"Y", -EINVAL, 1},
	        {"t", -EINVAL, 1},
	        {"T", -EINVAL, 1},
	        {"1", -EINVAL, 1},
	        {"n", -EINVAL, 0},
	        {"N", -EINVAL, 0},
	        {"f", -EINVAL, 0},
	        {"F", -EINVAL, 0},
	        {"0", -EINVAL, 0},
	        {"", -EINVAL, -EINVAL},
	        {"2", -EINVAL, -EINVAL},
	        {"yEs", -EINVAL, -EINVAL},
	        {"ye", -EINVAL, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		bool foreign = i % 2, value, other;
		const struct doc d = {
		        .type = DOC_SCALAR, .foreign = foreign, .text = rows[i / 2].text};
		int want = foreign ? rows[i / 2].foreign : rows[i / 2].ours;

		print_message("[%zu] %s\n", i / 2, d.text);
		value = want <= 0;
		other = value;
		assert_int_equal(scalar_bool(&d, &value), want < 0 ? want : 0);
		assert_int_equal(value, want < 0 ? other : want);
	}
}

static void test_only_scalars(void **state)
{
	const struct doc d = {.type = DOC_NULL, .text = "1", .foreign = true};
	int64_t n = 77;
	bool on = true;

	(void)state;
	assert_int_equal(scalar_i64(&d, 0, 9, &n), -EINVAL);
	assert_int_equal(scalar_bool(&d, &on), -EINVAL);
	assert_int_equal(n, 77);
}

/* As PyYAML 6's safe_load resolves them: what is no text is told. */
static void what_is_no_text(void **state)
{
	static const char *const rows[][2] = {
	        {"12", "the number"},
	        {"0x1F", "the number"},
	        {"010", "the number"},
	        {"1:30", "the number"},
	        {"123456789012345678901234567890", "the number"},
	        {"1.5", "the number"},
	        {"-1.", "the number"},
	        {".5", "the number"},
	        {"1.0e+3", "the number"},
	        {"1:30.5", "the number"},
	        {".inf", "the number"},
	        {"-.INF", "the number"},
	        {".NaN", "the number"},
	        {"yes", "the boolean"},
	        {"Off", "the boolean"},
	        {"2024-01-31", "the time"},
	        {"2024-1-3 12:00:00", "the time"},
	        {"2024-01-31T12:00:00Z", "the time"},
	        {"08", NULL},
	        {"1e3", NULL},
	        {"-.nan", NULL},
	        {"1.2.3", NULL},
	        {"10.0.0.1", NULL},
	        {"0:30", NULL},
	        {"1:60", NULL},
	        {"y", NULL},
	        {"T", NULL},
	        {"tRue", NULL},
	        {"2024-1-3", NULL},
	        {"2024-01", NULL},
	        {"2024-01-31 noon", NULL},
	        {"1:30.x", NULL},
	        {"c5.xlarge", NULL},
	        {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doc d = {.type = DOC_SCALAR, .foreign = true, .text = rows[i][0]};
		const char *is = scalar_no_text(&d);

		if (!rows[i][1] != !is || (is && strcmp(is, rows[i][1]) != 0))
			fail_msg("'%s': %s", rows[i][0], is ? is : "a text");
		d.quoted = true;
		assert_null(scalar_no_text(&d));
		d.quoted = d.foreign = false;
		assert_null(scalar_no_text(&d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_fractions),
	        cmocka_unit_test(test_extremes),     cmocka_unit_test(test_booleans),
	        cmocka_unit_test(test_only_scalars), cmocka_unit_test(what_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
