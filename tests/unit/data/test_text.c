/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/text. */
#include "data/text.h"
#include "unit.h"

static void test_places(void **state)
{
	static const char text[] = "ab\n\r\n\xC3\xA9\rx";
	static const struct {
		size_t offset;
		unsigned line, col;
	} rows[] = {
	        {0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {4, 2, 2},  {5, 3, 1},
	        {7, 3, 2}, {8, 4, 1}, {9, 4, 2}, {99, 4, 2},
	};
	const struct blob blob = {text, sizeof text - 1};
	struct text_place p = TEXT_START;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doc at = text_at("f", blob, rows[i].offset);

		print_message("offset %zu\n", rows[i].offset);
		assert_int_equal(at.line, rows[i].line);
		assert_int_equal(at.col, rows[i].col);
		text_advance(&p, blob, rows[i].offset);
		assert_int_equal(p.line, rows[i].line);
		assert_int_equal(p.col, rows[i].col);
	}
}

static void test_check(void **state)
{
	static const struct {
		struct blob text;
		const char *message;
	} rows[] = {
	        {{"a\n\0b", 4}, "f:2:1: a NUL byte, expected text"},
	        {{"\xC3", 1}, "f:1:1: byte 0xC3 is not valid UTF-8, expected text"},
	        {{"a\n\xC3\xA9\x80", 5}, "f:2:2: byte 0x80 is not valid UTF-8, expected text"},
	        {{"12345678\n9", 10}, "f:1:9: the text has 10 bytes, expected at most 8"},
	};
	struct err e;

	(void)state;
	assert_ok(text_check("f", (struct blob){"12345678", 8}, 8, &e));
	assert_ok(text_check("f", (struct blob){NULL, 0}, 8, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(text_check("f", rows[i].text, 8, &e), ERR_INPUT, rows[i].message);
		assert_string_equal(e.text, rows[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_places),
	        cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
