/* SPDX-License-Identifier: Apache-2.0 */
/* Text between UTF-8 and other encodings, at their limits. */
#include "unit.h"

#include "component/component_encoding.h"

static struct err e;

static void names_are_taken_in_any_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned unit;
		bool big;
	} good[] = {{"utf8", 1, false},      {"UTF-8", 1, false},   {"utf16", 2, false},
	            {"utf-16-LE", 2, false}, {"UTF16-be", 2, true}, {"utf-32", 4, false},
	            {"utf32-LE", 4, false},  {"utf-32-be", 4, true}};
	struct component_encoding got;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(component_encoding_find(good[i].name, &got));
		assert_int_equal(got.unit, good[i].unit);
		assert_int_equal(got.big, good[i].big);
	}
	assert_false(component_encoding_find("utf", &got));
	assert_false(component_encoding_find("utf88", &got));
	assert_false(component_encoding_find("utf16l", &got));
	assert_false(component_encoding_find("", &got));
}

#define BYTES(text) ((struct blob){text, sizeof(text) - 1})

struct pair {
	struct blob utf8, other;
	struct component_encoding of;
};

static void all_go_there_and_back(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
	        {{"", 0}, {"", 0}, {2, false}},
	        {{"A", 1}, {"A\0", 2}, {2, false}},
	        {{"A", 1}, {"\0A", 2}, {2, true}},
	        {{"\x7f", 1}, {"\x7f\0", 2}, {2, false}},
	        {{"\xc2\x80", 2}, {"\0\x80", 2}, {2, true}},
	        {{"\xdf\xbf", 2}, {"\x07\xff", 2}, {2, true}},
	        {{"\xe0\xa0\x80", 3}, {"\x08\0", 2}, {2, true}},
	        {{"\xed\x9f\xbf", 3}, {"\xd7\xff", 2}, {2, true}},
	        {{"\xee\x80\x80", 3}, {"\xe0\0", 2}, {2, true}},
	        {{"\xef\xbf\xbf", 3}, {"\xff\xff", 2}, {2, true}},
	        {{"\xf0\x90\x80\x80", 4}, {"\xd8\0\xdc\0", 4}, {2, true}},
	        {{"\xf4\x8f\xbf\xbf", 4}, {"\xdb\xff\xdf\xff", 4}, {2, true}},
	        {{"\xf4\x8f\xbf\xbf", 4}, {"\0\x10\xff\xff", 4}, {4, true}},
	        {{"\xe2\x82\xac", 3}, {"\xac\x20\0\0", 4}, {4, false}},
	        {{"\xe2\x82\xac", 3}, {"\xe2\x82\xac", 3}, {1, false}},
	};
	scope_arena struct arena *a = arena_new();
	struct blob got;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct pair *p = &pairs[i];

		assert_ok(component_encode(p->utf8, p->of, a, &got, &e));
		assert_int_equal(got.len, p->other.len);
		assert_memory_equal(got.data, p->other.data, got.len);
		assert_ok(component_decode(p->other, p->of, a, &got, &e));
		assert_int_equal(got.len, p->utf8.len);
		assert_memory_equal(got.data, p->utf8.data, got.len);
	}
}

static void a_mark_at_the_beginning_is_left_out(void **state)
{
	(void)state;
	scope_arena struct arena *a = arena_new();
	struct blob got;

	assert_ok(component_decode(BYTES("\xfe\xff\0a\xfe\xff"),
	                           (struct component_encoding){2, true}, a, &got, &e));
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.data, "a\xef\xbb\xbf", 4);
	assert_ok(component_decode(BYTES("\xef\xbb\xbf"
	                                 "a"),
	                           (struct component_encoding){1, false}, a, &got, &e));
	assert_string_equal(got.data, "a");
}

static void what_is_no_text_is_refused(void **state)
{
	(void)state;
	static const struct blob bad8[] = {
	        {"\x80", 1},
	        {"\xc1\xbf", 2},
	        {"\xc2", 1},
	        {"\xe0\x9f\xbf", 3},
	        {"\xed\xa0\x80", 3},
	        {"\xf0\x8f\xbf\xbf", 4},
	        {"\xc2"
	         "a",
	         2},
	        {"\xf4\x90\x80\x80", 4},
	        {"\xf8\x88\x80\x80\x80", 5},
	        {"\xe2\x82", 2},
	        {"\xff", 1},
	};
	static const struct blob bad16[] = {
	        {"a", 1},      {"\xd8\0", 2},       {"\xdc\0\xdc\0", 4},
	        {"\xdc\0", 2}, {"\xd8\0\xd8\0", 4}, {"\xd8\0\xe0\0", 4},
	        {"\0\0", 2},
	};
	static const struct blob bad32[] = {{"\0\0\0", 3}, {"\0\x11\0\0", 4}, {"\0\0\xd8\0", 4}};
	scope_arena struct arena *a = arena_new();
	struct blob got = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad8); i++) {
		assert_err(component_encode(bad8[i], (struct component_encoding){2, true}, a, &got,
		                            &e),
		           ERR_HOST, "is no UTF-8");
		assert_err(component_decode(bad8[i], (struct component_encoding){1, false}, a, &got,
		                            &e),
		           ERR_HOST, "byte 0 is no text");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad16); i++)
		assert_err(component_decode(bad16[i], (struct component_encoding){2, true}, a, &got,
		                            &e),
		           ERR_HOST, "no text of that encoding");
	for (size_t i = 0; i < ARRAY_LEN(bad32); i++)
		assert_err(component_decode(bad32[i], (struct component_encoding){4, true}, a, &got,
		                            &e),
		           ERR_HOST, "no text of that encoding");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_are_taken_in_any_spelling),
	        cmocka_unit_test(all_go_there_and_back),
	        cmocka_unit_test(a_mark_at_the_beginning_is_left_out),
	        cmocka_unit_test(what_is_no_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
