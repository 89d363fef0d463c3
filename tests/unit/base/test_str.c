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
	/* Both ends are in. */
	uint64_t u;
	assert_int_equal(str_u64("4", 5, 7, &u), -ERANGE);
	assert_int_equal(str_u64("5", 5, 7, &u), 0);
	assert_int_equal(str_u64("7", 5, 7, &u), 0);
	assert_int_equal(u, 7);
	assert_int_equal(str_u64("8", 5, 7, &u), -ERANGE);
	assert_int_equal(str_u64("9/", 0, 99, &u), -EINVAL);
	assert_int_equal(str_u64("9:", 0, 99, &u), -EINVAL);
	assert_int_equal(str_i64("-6", -5, 7, &s), -ERANGE);
	assert_int_equal(str_i64("-5", -5, 7, &s), 0);
	assert_int_equal(s, -5);
	assert_int_equal(str_i64("7", -5, 7, &s), 0);
	assert_int_equal(str_i64("1 ", -5, 7, &s), -EINVAL);
	assert_int_equal(str_i64("9223372036854775807", INT64_MIN, INT64_MAX, &s), 0);
	assert_true(s == INT64_MAX);
	assert_int_equal(str_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &s), -ERANGE);
	unsigned mode;
	assert_int_equal(str_mode("0644", &mode), 0);
	assert_int_equal(mode, 0644);
	assert_int_equal(str_mode("8", &mode), -EINVAL);
	assert_int_equal(str_mode("7777", &mode), 0);
	assert_int_equal(mode, 07777);
	assert_int_equal(str_mode("0644 ", &mode), -EINVAL);
	assert_int_equal(str_mode("", &mode), -EINVAL);
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
	        {"0h30", -EINVAL, 0},
	        {"0", 0, 0},
	        {"0s", 0, 0},
	        {"1s1s", 0, 2000},
	        {"5s ", -EINVAL, 0},
	        {"5124095576030h", 0, UINT64_C(18446744073708000000)},
	        {"5124095576030h5124095576030h", -ERANGE, 0},
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
	static const struct {
		const char *text;
		uint64_t v;
	} sizes[] = {{"3", 3},
	             {"3K", 3072},
	             {"3KB", 3072},
	             {"3KiB", 3072},
	             {"3G", UINT64_C(3) << 30},
	             {"3T", UINT64_C(3) << 40},
	             {"16777215T", UINT64_C(16777215) << 40}};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(str_size(sizes[i].text, &v), 0);
		assert_true(v == sizes[i].v);
	}
	assert_int_equal(str_size("16777216T", &v), -ERANGE);
	assert_int_equal(str_size("3k", &v), -EINVAL);
	assert_int_equal(str_size("K", &v), -EINVAL);
	assert_int_equal(str_size("7iB", &v), -EINVAL);
	assert_int_equal(str_size("1X", &v), -EINVAL);
	assert_int_equal(str_size("99999999999T", &v), -ERANGE);
	assert_int_equal(str_bool("yes", &b), 0);
	assert_true(b);
	assert_int_equal(str_bool("Off", &b), 0);
	assert_false(b);
	static const char *const on[] = {"true", "True", "TRUE", "yes", "Yes",
	                                 "YES",  "on",   "On",   "ON"};
	static const char *const off[] = {"false", "False", "FALSE", "no", "No",
	                                  "NO",    "off",   "Off",   "OFF"};
	for (size_t i = 0; i < ARRAY_LEN(on); i++) {
		b = false;
		assert_int_equal(str_bool(on[i], &b), 0);
		assert_true(b);
		assert_int_equal(str_bool(off[i], &b), 0);
		assert_false(b);
	}
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
	assert_int_equal(str_base64_encode((struct blob){"foo", 3}, out, 5), 4);
	assert_int_equal(str_base64_decode((struct blob){"Zg==", 4}, out, 1, &len), 0);
	assert_int_equal(str_base64_decode((struct blob){"Zg==", 4}, out, 0, &len), -ENOSPC);
	assert_int_equal(str_base64_decode((struct blob){" Z\tm9v\n", 7}, out, 3, &len), 0);
	assert_int_equal(str_base64_decode((struct blob){"Zm9v\0", 5}, out, 9, &len), -EINVAL);
	/* All 64 letters, and all bytes. */
	unsigned char every[256], back[256];
	char coded[400];
	for (size_t i = 0; i < sizeof every; i++)
		every[i] = (unsigned char)i;
	len = str_base64_encode((struct blob){(char *)every, sizeof every}, coded, sizeof coded);
	assert_int_equal(len, 344);
	assert_non_null(strstr(coded, "+/"));
	assert_int_equal(str_base64_decode((struct blob){coded, len}, back, sizeof back, &len), 0);
	assert_int_equal(len, sizeof every);
	assert_memory_equal(back, every, sizeof every);
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
	assert_int_equal(str_unhex("00ff5g", raw, 3), -EINVAL);
	assert_int_equal(str_unhex("00ffA50", raw, 3), -EINVAL);
	static const char digits[] = "0123456789abcdefABCDEF", none[] = "/:`g@G";
	for (int i = 0; digits[i]; i++)
		assert_int_equal(str_hex_digit(digits[i]), i < 16 ? i : i - 6);
	for (int i = 0; none[i]; i++)
		assert_int_equal(str_hex_digit(none[i]), -1);
}

static void utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len, bad; /* bad == len: valid */
	} cases[] = {
	        {"plain", 5, 5},
	        {"\xc3\xa9", 2, 2},
	        {"\xf0\x9f\x98\x80", 4, 4},
	        {"a\xc0\xaf", 3, 1},
	        {"\xed\xa0\x80", 3, 0},
	        {"\xf4\x90\x80\x80", 4, 0},
	        {"ab\xe2\x82", 4, 2},
	        {"\xe0\x80\xaf", 3, 0},
	        {"\xff", 1, 0},
	        {"x\x80", 2, 1},
	        /* The first and the last of each length, and those just beyond. */
	        {"\x7f", 1, 1},
	        {"\xc2\x80", 2, 2},
	        {"\xc1\xbf", 2, 0},
	        {"\xdf\xbf", 2, 2},
	        {"\xe0\xa0\x80", 3, 3},
	        {"\xe0\x9f\xbf", 3, 0},
	        {"\xed\x9f\xbf", 3, 3},
	        {"\xed\xbf\xbf", 3, 0},
	        {"\xee\x80\x80", 3, 3},
	        {"\xef\xbf\xbf", 3, 3},
	        {"\xf0\x90\x80\x80", 4, 4},
	        {"\xf0\x8f\xbf\xbf", 4, 0},
	        {"\xf4\x8f\xbf\xbf", 4, 4},
	        {"\xf8\x88\x80\x80\x80", 5, 0},
	        {"\xc3\xc0", 2, 0},
	        {"\xe2\x82\x2c", 3, 0},
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

/* Which characters are shown as their bytes: the ends of each range and what is beside it. */
static void escape_by_character(void **state)
{
	static const char *const shown[] = {" ",
	                                    "~",
	                                    "\xc2\xa0",
	                                    "\xe2\x80\x8d",
	                                    "\xe2\x80\x90",
	                                    "\xe2\x80\xa7",
	                                    "\xe2\x80\xaf",
	                                    "\xe2\x81\xa5",
	                                    "\xe2\x81\xaa",
	                                    "\xf0\x9f\x98\x80"};
	static const char *const hidden[] = {
	        "\x01",         "\x1f",         "\x7f",         "\xc2\x80",     "\xc2\x9f",
	        "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
	        "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"};
	char out[32], want[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		assert_string_equal(str_escape(shown[i], strlen(shown[i]), out, sizeof out),
		                    shown[i]);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		*want = '\0';
		for (const char *p = hidden[i]; *p; p++)
			snprintf(want + strlen(want), sizeof want - strlen(want), "\\x%02x",
			         (unsigned char)*p);
		assert_string_equal(str_escape(hidden[i], strlen(hidden[i]), out, sizeof out),
		                    want);
		/* All of it or nothing. */
		assert_string_equal(str_escape(hidden[i], strlen(hidden[i]), out, strlen(want) + 1),
		                    want);
		assert_string_equal(str_escape(hidden[i], strlen(hidden[i]), out, strlen(want)),
		                    "");
	}
	*out = 'x';
	(void)str_escape("a", 1, out, 0);
	assert_int_equal(*out, 'x');
}

static void beginnings_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts("abc", "abc"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "abc"));
	assert_true(str_ends("abc", "c"));
	assert_true(str_ends("abc", ""));
	assert_false(str_ends("bc", "abc"));
	assert_false(str_ends("abd", "c"));
	assert_true(blob_eq((struct blob){"abx", 2}, "ab"));
	assert_false(blob_eq((struct blob){"abx", 3}, "ab"));
	assert_false(blob_eq((struct blob){"ax", 2}, "ab"));
	assert_true(blob_eq((struct blob){NULL, 0}, ""));
}

/* A quarter of the letters and one may be wrong, and words of 64 letters are like none. */
static void how_near_is_near(void **state)
{
	char word[65], other[65];
	const char *const rows[] = {other};

	(void)state;
	static const char *const one[] = {"abcd"};
	assert_string_equal(str_nearest("axyd", one, 1), "abcd");
	assert_null(str_nearest("xxyd", one, 1));
	static const char *const three[] = {"abc"};
	assert_string_equal(str_nearest("abx", three, 1), "abc");
	assert_null(str_nearest("axy", three, 1));
	assert_string_equal(str_nearest("bc", three, 1), "abc");
	assert_string_equal(str_nearest("ABC", three, 1), "abc");
	/* The first of those that are as near. */
	static const char *const two[] = {"abz", "aby"};
	assert_string_equal(str_nearest("abx", two, 2), "abz");
	memset(word, 'w', sizeof word);
	memset(other, 'w', sizeof other);
	word[63] = other[63] = '\0';
	other[0] = 'x';
	assert_string_equal(str_nearest(word, rows, 1), other);
	word[63] = other[63] = 'w';
	word[64] = other[64] = '\0';
	assert_null(str_nearest(word, rows, 1));
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
	b = (struct strbuf)STRBUF(a, 100);
	strbuf_json(&b, "\t\x1f \x7e\x7f\xc3\xa9");
	assert_string_equal(b.data, "\"\\t\\u001f ~\\u007f\xc3\xa9\"");
}

/* It is terminated at every length, within its room, and as long as its ceiling. */
static void builder_grows(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, 2000);

	(void)state;
	strbuf_str(&b, "");
	assert_string_equal(b.data, "");
	for (size_t i = 1; i <= 2000; i++) {
		strbuf_char(&b, 'x');
		assert_int_equal(b.len, i);
		assert_true(b.len < b.cap);
		assert_int_equal(b.data[i], '\0');
		assert_false(b.overflow);
	}
	strbuf_char(&b, 'y');
	assert_true(b.overflow);
	assert_int_equal(b.len, 2000);
	assert_int_equal(b.data[1999], 'x');
}

/* Formatted text grows it as added text does, and is cut at the ceiling. */
static void builder_formats(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, 600);

	(void)state;
	strbuf_printf(&b, "%s", "");
	assert_string_equal(b.data, "");
	for (size_t i = 1; i <= 200; i++) {
		strbuf_printf(&b, "%c%02zu", 'a', i % 100);
		assert_int_equal(b.len, 3 * i);
		assert_true(b.len < b.cap);
		assert_int_equal(b.data[b.len], '\0');
	}
	assert_memory_equal(b.data + 594, "a99a00", 7);
	assert_false(b.overflow);
	b = (struct strbuf)STRBUF(a, 5);
	strbuf_printf(&b, "%d", 12345);
	assert_false(b.overflow);
	assert_string_equal(b.data, "12345");
	b = (struct strbuf)STRBUF(a, 5);
	strbuf_printf(&b, "%d", 123456);
	assert_true(b.overflow);
	assert_string_equal(b.data, "12345");
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
	        cmocka_unit_test(escape_by_character),
	        cmocka_unit_test(beginnings_and_ends),
	        cmocka_unit_test(how_near_is_near),
	        cmocka_unit_test(builder),
	        cmocka_unit_test(builder_grows),
	        cmocka_unit_test(builder_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
