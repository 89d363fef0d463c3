/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of components: those that hold and those that don't, what is none, what a step then does. */
#include "component_test.h"

#define FOX_SHA256 "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"

static int hold(const char *condition)
{
	return run(arena_printf(arena, "{name: A, action: Assert, inputs: %s}", condition));
}

static void conditions_hold(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "{stringEquals: a, value: a}",
	        "{stringLessThan: b, value: a}",
	        "{stringLessThanEquals: a, value: a}",
	        "{stringGreaterThan: a, value: b}",
	        "{stringGreaterThanEquals: b, value: b}",
	        "{stringIsEmpty: ''}",
	        "{stringIsWhitespace: ' '}",
	        "{patternMatches: '^a.c$', value: abc}",
	        "{numberEquals: '1.0', value: '1'}",
	        "{numberLessThan: '10', value: '9'}",
	        "{numberLessThanEquals: '9', value: '9'}",
	        "{numberGreaterThan: '9', value: '10'}",
	        "{numberGreaterThanEquals: '9', value: '9'}",
	        "{fileExists: TOP/file}",
	        "{folderExists: TOP}",
	        "{folderExists: TOP/folder-link}",
	        "{stringLessThanEquals: a, value: A}",
	        "{stringGreaterThan: a, value: B}",
	        "{patternMatches: '(?i)^ABC$', value: abc}",
	        "{patternMatches: '^v\\d+[\\d\\.]+$', value: v1.25}",
	        "{patternMatches: '^\\D[\\w]$', value: a_}",
	        "{patternMatches: '^(\\d{1,3}\\.){3}\\d{1,3}$', value: 10.0.0.255}",
	        "{patternMatches: '^([a-z]+-)+([*+?]{2}|a{0,900})$', value: ab-c-+*}",
	        "{binaryExists: sh}",
	        "{binaryExists: /bin/sh}",
	        "{binaryExists: TOP/program}",
	        "{fileSHA1Equals: 2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12, path: TOP/fox}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: TOP/fox}",
	        "{not: {stringEquals: a, value: b}}",
	        "{and: [{stringEquals: a, value: a}, {stringEquals: b, value: b}]}",
	        "{or: [{stringEquals: a, value: b}, {stringEquals: b, value: b}]}",
	        "[{stringEquals: a, value: a}, {stringEquals: b, value: b}]",
	};

	put("file", "", 0644);
	put("program", "", 0755);
	assert_int_equal(symlink(top, at("folder-link")), 0);
	put("fox", "The quick brown fox jumps over the lazy dog", 0644);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(hold(good[i]));
}

static void conditions_do_not_hold(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "{stringEquals: a, value: b}",
	        "{stringLessThan: a, value: a}",
	        "{stringLessThanEquals: a, value: b}",
	        "{stringGreaterThan: b, value: b}",
	        "{stringGreaterThanEquals: b, value: a}",
	        "{stringIsEmpty: 'x'}",
	        "{stringIsWhitespace: ''}",
	        "{stringIsWhitespace: ' x'}",
	        "{patternMatches: '^b', value: abc}",
	        "{numberEquals: '1', value: '2'}",
	        "{numberEquals: '1', value: x}",
	        "{numberEquals: '', value: ''}",
	        "{numberLessThan: '9', value: '9'}",
	        "{numberGreaterThan: '9', value: '9'}",
	        "{fileExists: TOP}",
	        "{fileExists: TOP/none}",
	        "{folderExists: TOP/none}",
	        "{folderExists: /etc/passwd}",
	        "{stringEquals: a, value: A}",
	        "{stringLessThan: a, value: A}",
	        "{patternMatches: '^a', value: ABC}",
	        "{patternMatches: '^[\\d]$', value: d}",
	        "{binaryExists: no-such-program}",
	        "{binaryExists: ''}",
	        "{binaryExists: TOP}",
	        "{binaryExists: /etc/passwd}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: TOP/none}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: /etc/passwd}",
	        "{not: {stringEquals: a, value: a}}",
	        "{and: [{stringEquals: a, value: a}, {stringEquals: b, value: c}]}",
	        "{or: [{stringEquals: a, value: b}, {stringEquals: b, value: c}]}",
	        "[{stringEquals: a, value: a}, {stringEquals: b, value: c}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(hold(bad[i]), ERR_HOST, "it does not hold that");
		assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	}
}

static void conditions_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"{}", "without an operator"},
	        {"{value: x}", "without an operator"},
	        {"x", "a condition is a map"},
	        {"{stringEqals: a, value: b}", "did you mean 'stringEquals'"},
	        {"{zzzzzzzzzzzzzzzzzzzzzz: a, value: b}", "expected and, or, not"},
	        {"{stringEquals: a}", "'value' is missing"},
	        {"{patternMatches: a}", "'value' is missing"},
	        {"{numberEquals: 1}", "'value' is missing"},
	        {"{fileMD5Equals: x}", "'path' is missing"},
	        {"{fileMD5Equals: abc, path: /x}", "is no MD5 in 32 hex digits"},
	        {"{fileSHA512Equals: " FOX_SHA256 ", path: /x}", "is no SHA512 in 128"},
	        {"{stringEquals: [a], value: a}", "expected a string"},
	        {"{stringEquals: a, stringLessThan: b, value: a}", "one operator"},
	        {"{patternMatches: '[', value: a}", "no regular expression"},
	        {"{patternMatches: '(a{255}){255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{255}{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a{255})?{255}?{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{255}*{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a{60}+){60}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a|(b{0,255})|c){,255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '[{](a{99}){9\\0}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{0,32767}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a++++++++++++++', value: a}", "too much of a pattern"},
	        {"{patternMatches: '((((((((((a?)+)+)+)+)+)+)+)+)+)+', value: a}",
	         "too much of a pattern"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_steps(arena_printf(arena, "{name: A, action: Assert, inputs: %s}",
		                                   bad[i].text)),
		           ERR_INPUT, bad[i].says);
	struct strbuf deep = STRBUF(arena, 1000), high = STRBUF(arena, 2000);
	for (int i = 0; i < 18; i++)
		strbuf_str(&deep, "{not: ");
	strbuf_str(&deep, "{stringIsEmpty: x}");
	for (int i = 0; i < 18; i++)
		strbuf_str(&deep, "}");
	assert_err(
	        read_steps(arena_printf(arena, "{name: A, action: Assert, inputs: %s}", deep.data)),
	        ERR_INPUT, "nested too deep");
	for (int i = 0; i < 257; i++)
		strbuf_str(&high, "a");
	assert_err(
	        read_steps(arena_printf(
	                arena, "{name: A, action: Assert, inputs: {patternMatches: %s, value: a}}",
	                high.data)),
	        ERR_INPUT, "too much of a pattern");
	assert_ok(read_steps(arena_printf(
	        arena, "{name: A, action: Assert, inputs: {patternMatches: %s, value: a}}",
	        high.data + 1)));
}

static int run_if(const char *condition)
{
	return run(arena_printf(
	        arena,
	        "{name: A, action: ExecuteBash, if: %s, inputs: {commands: ['touch TOP/ran']}}",
	        condition));
}

static void a_condition_decides_what_a_step_does(void **state)
{
	(void)state;
	assert_ok(run_if("{stringEquals: a, value: b}"));
	assert_false(there("ran"));
	assert_ok(run_if("{stringEquals: a, value: a, then: Skip}"));
	assert_false(there("ran"));
	assert_err(run_if("{stringEquals: a, value: b, else: Abort}"), ERR_HOST,
	           "its condition says Abort");
	assert_false(there("ran"));
	assert_ok(run_if("{stringEquals: a, value: a}"));
	assert_true(there("ran"));
	assert_int_equal(unlink(at("ran")), 0);
	assert_ok(run_if("{stringEquals: a, value: b, else: Execute}"));
	assert_true(there("ran"));
	assert_err(read_steps("{name: A, action: ExecuteBash, if: x, inputs: {commands: [x]}}"),
	           ERR_INPUT, "'if': expected a map");
	assert_err(
	        read_steps(
	                "{name: A, action: ExecuteBash, if: {stringIsEmpty: x, then: Go}, inputs: "
	                "{commands: [x]}}"),
	        ERR_INPUT, "then");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(conditions_hold),
	        T(conditions_do_not_hold),
	        T(conditions_are_checked),
	        T(a_condition_decides_what_a_step_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
