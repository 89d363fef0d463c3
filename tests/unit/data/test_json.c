/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/json. */

#include "data/json.h"
#include "parse.h"

static const struct parse_good good[] = {
        {"{}", "{}"},
        {" [ ] \r\n\t", "[]"},
        {"\"a\"", "\"a\""},
        {"0", "0"},
        {"-0", "-0"},
        {"null", "null"},
        {"[true,false,null]", "[true,false,null]"},
        {"[18446744073709551615,9007199254740993,-1,1.50,1E400,1e-7,0.0]",
         "[18446744073709551615,9007199254740993,-1,1.50,1E400,1e-7,0.0]"},
        {"{\"b\":1,\"a\":{\"c\":[1,{\"d\":\"e\"}]},\"A\":2}",
         "{\"b\":1,\"a\":{\"c\":[1,{\"d\":\"e\"}]},\"A\":2}"},
        {"[\"1\",\"true\",\"null\"]", "[\"1\",\"true\",\"null\"]"},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"]",
         "[\"\\\"\\\\/\\u0008\\u000c\\n\\u000d\\t\xC3\xA9\xF0\x9F\x98\x80\"]"},
        {"{\"\":\"\"}", "{\"\":\"\"}"},
        {"[\"caf\xC3\xA9\"]", "[\"caf\xC3\xA9\"]"},
        {"123456789012345678901234567890123456789012345678901234567890123",
         "123456789012345678901234567890123456789012345678901234567890123"},
};

#define SYNTAX 0, REASON_INPUT_SYNTAX

static const struct parse_bad bad[] = {
        {"", SYNTAX, "f:1:1: the text ends here, expected a value"},
        {" \n ", SYNTAX, "f:2:2: the text ends here, expected a value"},
        {"\xEF\xBB\xBF{}", SYNTAX, "f:1:1: found..."},
        {"{\"a\":1,\n \"b\":2,\n \"a\":3}", 0, REASON_INPUT_DUPLICATE,
         "f:3:2: duplicate key 'a', expected it once (first on line 1)"},
        {"{\"a\":1,\"\\u0061\":2}", 0, REASON_INPUT_DUPLICATE, "f:1:8: duplicate key 'a'..."},
        {"[1] x", SYNTAX, "f:1:5: found 'x', expected nothing after the document"},
        {"[1]\n{}", SYNTAX, "f:2:1: found '{', expected nothing after the document"},
        {"{\"a\":\"b\0c\"}", 10, REASON_INPUT_SYNTAX, "f:1:8: a NUL byte, expected text"},
        {"[\"a\\u0000b\"]", SYNTAX, "f:1:4: the escape of a NUL character, expected text"},
        {"[\"\xFF\"]", SYNTAX, "f:1:3: byte 0xFF is not valid UTF-8, expected text"},
        {"[\"\xC0\x80\"]", SYNTAX, "f:1:3: byte 0xC0 is not valid UTF-8, expected text"},
        {"[\"a\nb\"]", SYNTAX, "f:1:4: a control character in a string, expected its escape"},
        {"[\"\t\"]", SYNTAX, "f:1:3: a control character in a string, expected its escape"},
        {"[\"\\x41\"]", SYNTAX, "f:1:3: an unknown escape..."},
        {"[\"\\", SYNTAX, "f:1:3: an unknown escape..."},
        {"[\"\\u12g4\"]", SYNTAX, "f:1:3: an escape without its four digits, expected \\uNNNN"},
        {"[\"\\u123", SYNTAX, "f:1:3: an escape without its four digits, expected \\uNNNN"},
        {"[\"\\uD800\"]", SYNTAX, "f:1:3: a high surrogate on its own, expected a pair"},
        {"[\"\\uD800\\u0041\"]", SYNTAX, "f:1:3: a high surrogate on its own, expected a pair"},
        {"[\"\\uDC00\"]", SYNTAX, "f:1:3: a low surrogate on its own, expected a pair"},
        {"[\"a", SYNTAX, "f:1:2: a string that is not closed, expected '\"'"},
        {"01", SYNTAX, "f:1:1: a number with a leading zero, expected none"},
        {"[-01]", SYNTAX, "f:1:3: a number with a leading zero, expected none"},
        {"-", SYNTAX, "f:1:2: the text ends here, expected a digit"},
        {"[1.]", SYNTAX, "f:1:4: found ']', expected a digit"},
        {"[.5]", SYNTAX, "f:1:2: found '.', expected a value"},
        {"[+1]", SYNTAX, "f:1:2: found '+', expected a value"},
        {"[1e]", SYNTAX, "f:1:4: found ']', expected a digit"},
        {"[1e+]", SYNTAX, "f:1:5: found ']', expected a digit"},
        {"[0x10]", SYNTAX, "f:1:3: found 'x', expected ',' or ']'"},
        {"[NaN]", SYNTAX, "f:1:2: found 'N', expected a value"},
        {"[True]", SYNTAX, "f:1:2: found 'T', expected a value"},
        {"[nul]", SYNTAX, "f:1:2: found 'n', expected a value"},
        {"[truely]", SYNTAX, "f:1:6: found 'l', expected ',' or ']'"},
        {"[[{\"a\":1,\"a\":2}]]", 0, REASON_INPUT_DUPLICATE, "f:1:10: duplicate key 'a'..."},
        {"{\"a\\q\":1}", SYNTAX, "f:1:4: an unknown escape..."},
        {"[1,]", SYNTAX, "f:1:4: found ']', expected a value"},
        {"[,1]", SYNTAX, "f:1:2: found ',', expected a value"},
        {"[1 2]", SYNTAX, "f:1:4: found '2', expected ',' or ']'"},
        {"[1}", SYNTAX, "f:1:3: found '}', expected ',' or ']'"},
        {"[1", SYNTAX, "f:1:3: the text ends here, expected ',' or ']'"},
        {"{\"a\":1", SYNTAX, "f:1:7: the text ends here, expected ',' or '}'"},
        {"{\"a\":1,}", SYNTAX, "f:1:8: found '}', expected a key in double quotes"},
        {"{a:1}", SYNTAX, "f:1:2: found 'a', expected a key in double quotes or '}'"},
        {"{'a':1}", SYNTAX, "f:1:2: found ''', expected a key in double quotes or '}'"},
        {"{\"a\" 1}", SYNTAX, "f:1:6: found '1', expected ':'"},
        {"{\"a\":}", SYNTAX, "f:1:6: found '}', expected a value"},
        {"{1:2}", SYNTAX, "f:1:2: found '1', expected a key in double quotes or '}'"},
        {"[1] // x", SYNTAX, "f:1:5: found '/', expected nothing after the document"},
        {"[\"caf\xC3\xA9\", \xC3\xA9]", SYNTAX, "f:1:10: found '\xC3\xA9', expected a value"},
        {"[\f1]", SYNTAX, "f:1:2: found..."},
        {"]", SYNTAX, "f:1:1: found ']', expected a value"},
        {"}", SYNTAX, "f:1:1: found '}', expected a value"},
        {"1234567890123456789012345678901234567890123456789012345678901234", 0, REASON_INPUT_LIMIT,
         "f:1:1: too many characters in a number, expected at most 63"},
};

static void test_accepts(void **state)
{
	(void)state;
	parse_good(json_parse, good, ARRAY_LEN(good));
}

static void test_refuses(void **state)
{
	(void)state;
	parse_bad(json_parse, bad, ARRAY_LEN(bad));
}

static void refused(struct blob text, enum reason reason, const char *message)
{
	parse_bad(json_parse, &(struct parse_bad){text.data, text.len, reason, message}, 1);
}

static void test_ceilings(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, 1 << 20);
	struct blob part;
	struct doc *d;
	struct err e;

	(void)state;
	refused(parse_repeat(a, "[", 80000), REASON_INPUT_LIMIT,
	        "f:1:65: maps and lists nested too deep, expected at most 64");
	refused(parse_repeat(a, "{\"a\":", 80000), REASON_INPUT_LIMIT,
	        "f:1:321: maps and lists nested too deep...");
	refused(parse_repeat(a, "          ", 1024 * 1024), REASON_INPUT_LIMIT,
	        "f:1:1048577: the text has 10485760 bytes, expected at most 1048576");
	strbuf_char(&text, '[');
	part = parse_repeat(a, "1,", 210000);
	strbuf_add(&text, part.data, part.len);
	refused((struct blob){text.data, text.len}, REASON_INPUT_LIMIT,
	        "f:1:400000: too many keys and values, expected at most 200000");
	text.len = 0;
	strbuf_char(&text, '"');
	part = parse_repeat(a, "x", 1048574);
	strbuf_add(&text, part.data, part.len);
	strbuf_char(&text, '"');
	assert_ok(json_parse("f", (struct blob){text.data, text.len}, a, &d, &e));
}

static void test_depth_limit_is_reachable(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob open = parse_repeat(a, "[", 64), close = parse_repeat(a, "]", 64);
	struct strbuf text = STRBUF(a, 200), out = STRBUF(a, 200);
	struct doc *d;
	struct err e;

	(void)state;
	strbuf_add(&text, open.data, open.len);
	strbuf_add(&text, close.data, close.len);
	assert_ok(json_parse("f", (struct blob){text.data, text.len}, a, &d, &e));
	doc_json(d, &out);
	assert_string_equal(out.data, text.data);
}

static void test_places(void **state)
{
	static const char text[] = "{\"a\": [1,\r\n  \"x\", {\"k\": null}]}";
	scope_arena struct arena *a = arena_new();
	struct doc *d, *list;
	struct err e;

	(void)state;
	assert_ok(json_parse("f", (struct blob){text, sizeof text - 1}, a, &d, &e));
	assert_int_equal(d->keys[0]->col, 2);
	list = doc_get(d, "a");
	assert_int_equal(list->col, 7);
	assert_int_equal(list->items[0]->col, 8);
	assert_false(list->items[0]->quoted);
	assert_int_equal(list->items[1]->line, 2);
	assert_int_equal(list->items[1]->col, 3);
	assert_true(list->items[1]->quoted);
	assert_null(doc_get(list->items[2], "k"));
	assert_int_equal(list->items[2]->items[0]->type, DOC_NULL);
	assert_int_equal(list->items[2]->items[0]->col, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_accepts),  cmocka_unit_test(test_refuses),
	        cmocka_unit_test(test_ceilings), cmocka_unit_test(test_depth_limit_is_reachable),
	        cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
