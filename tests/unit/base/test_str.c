/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/str. */
#include "base/str.h"

#include <errno.h>

#include "unit.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} cases[] = {
	        {"0", 0, 0},
	        {"18446744073709551615", 0, UINT64_MAX},
	        {"18446744073709551616", -ERANGE, 0},
	        {"", -EINVAL, 0},
	        {" 1", -EINVAL, 0},
	        {"1 ", -EINVAL, 0},
	        {"+1", -EINVAL, 0},
	        {"-1", -EINVAL, 0},
	        {"0x10", -EINVAL, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 42;

		assert_int_equal(str_u64(cases[i].text, 0, UINT64_MAX, &v), cases[i].r);
		assert_int_equal(v, cases[i].r ? 42 : cases[i].v);
	}
	int64_t s;
	assert_int_equal(str_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &s), 0);
	assert_true(s == INT64_MIN);
	assert_int_equal(str_i64("9223372036854775808", INT64_MIN, INT64_MAX, &s), -ERANGE);
	assert_int_equal(str_i64("-", INT64_MIN, INT64_MAX, &s), -EINVAL);
	assert_int_equal(str_i64("11", 1, 10, &s), -ERANGE);
	unsigned mode;
	assert_int_equal(str_mode("0644", &mode), 0);
	assert_int_equal(mode, 0644);
	assert_int_equal(str_mode("8", &mode), -EINVAL);
	assert_int_equal(str_mode("10000", &mode), -ERANGE);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t ms;
	} cases[] = {
	        {"300s", 0, 300000},
	        {"5", 0, 5000},
	        {"1h30m", 0, 5400000},
	        {"250ms", 0, 250},
	        {"1m250ms", 0, 60250},
	        {"1h30", -EINVAL, 0},
	        {"", -EINVAL, 0},
	        {"s", -EINVAL, 0},
	        {"5d", -EINVAL, 0},
	        {"-5s", -EINVAL, 0},
	        {"99999999999999999999h", -ERANGE, 0},
	        {"18446744073709551615h", -ERANGE, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t ms = 0;

		assert_int_equal(str_duration_ms(cases[i].text, &ms), cases[i].r);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void sizes_and_bools(void **state)
{
	uint64_t v;
	bool b;
	(void)state;
	assert_int_equal(str_size("10M", &v), 0);
	assert_int_equal(v, 10 << 20);
	assert_int_equal(str_size("2GiB", &v), 0);
	assert_int_equal(v, UINT64_C(2) << 30);
	assert_int_equal(str_size("7B", &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(str_size("7iB", &v), -EINVAL);
	assert_int_equal(str_size("1X", &v), -EINVAL);
	assert_int_equal(str_size("99999999999T", &v), -ERANGE);
	assert_int_equal(str_bool("yes", &b), 0);
	assert_true(b);
	assert_int_equal(str_bool("Off", &b), 0);
	assert_false(b);
	assert_int_equal(str_bool("y", &b), -EINVAL);
	assert_int_equal(str_bool("1", &b), -EINVAL);
}

static void base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""},
	                                       {"f", "Zg=="},
	                                       {"fo", "Zm8="},
	                                       {"foo", "Zm9v"},
	                                       {"foob", "Zm9vYg=="},
	                                       {"fooba", "Zm9vYmE="},
	                                       {"foobar", "Zm9vYmFy"}};
	char out[64];
	size_t len;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct blob plain = {pairs[i][0], strlen(pairs[i][0])};
		struct blob coded = {pairs[i][1], strlen(pairs[i][1])};

		assert_int_equal(str_base64_encode(plain, out, sizeof out), coded.len);
		assert_string_equal(out, coded.data);
		assert_int_equal(str_base64_decode(coded, out, sizeof out, &len), 0);
		assert_int_equal(len, plain.len);
		assert_memory_equal(out, plain.data, len);
	}
	assert_int_equal(str_base64_decode((struct blob){"Zm9v\r\nYmFy", 10}, out, 6, &len), 0);
	assert_int_equal(len, 6);
	static const char *const bad[] = {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9*", "Zm9v=", "===="};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(str_base64_decode((struct blob){bad[i], strlen(bad[i])}, out,
		                                   sizeof out, &len),
		                 -EINVAL);
	assert_int_equal(str_base64_decode((struct blob){"Zm9vYmFy", 8}, out, 5, &len), -ENOSPC);
	assert_int_equal(str_base64_encode((struct blob){"foo", 3}, out, 4), 0);
}

static void hex(void **state)
{
	unsigned char raw[3];
	char text[7];
	(void)state;
	assert_int_equal(str_unhex("00fFa5", raw, 3), 0);
	str_hex(raw, 3, text);
	assert_string_equal(text, "00ffa5");
	assert_int_equal(str_unhex("00ff", raw, 3), -EINVAL);
	assert_int_equal(str_unhex("00ffg5", raw, 3), -EINVAL);
}

static void utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len, bad; /* bad == len: valid */
	} cases[] = {
	        {"plain", 5, 5},      {"\xc3\xa9", 2, 2},     {"\xf0\x9f\x98\x80", 4, 4},
	        {"a\xc0\xaf", 3, 1},  {"\xed\xa0\x80", 3, 0}, {"\xf4\x90\x80\x80", 4, 0},
	        {"ab\xe2\x82", 4, 2}, {"\xe0\x80\xaf", 3, 0}, {"\xff", 1, 0},
	        {"x\x80", 2, 1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t bad = cases[i].len;

		assert_int_equal(str_utf8_valid((struct blob){cases[i].text, cases[i].len}, &bad),
		                 cases[i].bad == cases[i].len);
		assert_int_equal(bad, cases[i].bad);
	}
}

static void escape(void **state)
{
	static const char nasty[] = "a\x1b[31m\r\n\x7f\xc2\x9b\xff\xe2\x80\xae ok";
	char out[128], small[8];
	(void)state;
	str_escape(nasty, sizeof nasty - 1, out, sizeof out);
	assert_string_equal(out, "a\\x1b[31m\\x0d\\x0a\\x7f\\xc2\\x9b\\xff\\xe2\\x80\\xae ok");
	assert_string_equal(str_escape("123456789", 9, small, sizeof small), "1234567");
	/* A sequence is never cut in half. */
	assert_string_equal(str_escape("123456\xc3\xa9", 8, small, sizeof small), "123456");
}

static void nearest(void **state)
{
	static const char *const words[] = {"mounts", "munge", "packages", "sysctl"};
	(void)state;
	assert_string_equal(str_nearest("mount", words, 4), "mounts");
	assert_string_equal(str_nearest("Packages", words, 4), "packages");
	assert_string_equal(str_nearest("sysctrl", words, 4), "sysctl");
	assert_null(str_nearest("database", words, 4));
}

static void builder(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, 20);
	(void)state;
	strbuf_json(&b, "q\"\\\n\x01\xff");
	assert_string_equal(b.data, "\"q\\\"\\\\\\n\\u0001\xef\xbf\xbd\"");
	assert_false(b.overflow);
	strbuf_str(&b, "too much");
	assert_true(b.overflow);
	assert_int_equal(b.len, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(numbers),
	        cmocka_unit_test(durations),
	        cmocka_unit_test(sizes_and_bools),
	        cmocka_unit_test(base64),
	        cmocka_unit_test(hex),
	        cmocka_unit_test(utf8),
	        cmocka_unit_test(escape),
	        cmocka_unit_test(nearest),
	        cmocka_unit_test(builder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
