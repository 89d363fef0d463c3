/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes numbers, durations, sizes, UTF-8 and base64. */
#include <errno.h>
#include <inttypes.h>

#include "fuzz.h"

static bool is_verdict(int r)
{
	return r == 0 || r == -EINVAL || r == -ERANGE;
}

/* What a number parser accepts it accepts again in its plain form, as the same number. */
static void check_numbers(const char *s, struct arena *a)
{
	uint64_t u = 0, u2;
	int64_t i = 0, i2;
	unsigned mode = 0;
	bool b;

	FUZZ_CHECK(is_verdict(str_u64(s, 5, 500, &u)) && is_verdict(str_mode(s, &mode)));
	FUZZ_CHECK(u == 0 || (u >= 5 && u <= 500));
	FUZZ_CHECK(mode <= 07777 && is_verdict(str_bool(s, &b)));
	if (str_i64(s, INT64_MIN, INT64_MAX, &i) == 0)
		FUZZ_CHECK(str_i64(arena_printf(a, "%" PRId64, i), INT64_MIN, INT64_MAX, &i2) ==
		                   0 &&
		           i == i2);
	if (str_duration_ms(s, &u) == 0)
		FUZZ_CHECK(str_duration_ms(arena_printf(a, "%" PRIu64 "ms", u), &u2) == 0 &&
		           u == u2);
	if (str_size(s, &u) == 0)
		FUZZ_CHECK(str_size(arena_printf(a, "%" PRIu64, u), &u2) == 0 && u == u2);
}

static void check_base64(struct blob in, struct arena *a)
{
	size_t cap = in.len + 4, len, again_len, text_len;
	char *bytes = arena_alloc(a, cap), *text = arena_alloc(a, 2 * cap),
	     *again = arena_alloc(a, cap);

	text_len = str_base64_encode(in, text, 2 * cap);
	FUZZ_CHECK(text_len == (in.len + 2) / 3 * 4);
	FUZZ_CHECK(str_base64_decode((struct blob){text, text_len}, again, cap, &again_len) == 0);
	FUZZ_CHECK(again_len == in.len && (!in.len || memcmp(again, in.data, in.len) == 0));
	if (str_base64_decode(in, bytes, cap, &len) == 0) {
		text_len = str_base64_encode((struct blob){bytes, len}, text, 2 * cap);
		FUZZ_CHECK(str_base64_decode((struct blob){text, text_len}, again, cap,
		                             &again_len) == 0);
		FUZZ_CHECK(again_len == len && memcmp(again, bytes, len) == 0);
		FUZZ_CHECK(!len || str_base64_decode(in, again, len - 1, &again_len) == -ENOSPC);
	}
}

static void check_hex(struct blob in, const char *s, struct arena *a)
{
	char *text = arena_alloc(a, 2 * in.len + 1), *back = arena_alloc(a, in.len + 1);

	str_hex(in.data, in.len, text);
	FUZZ_CHECK(strlen(text) == 2 * in.len && str_unhex(text, back, in.len) == 0);
	FUZZ_CHECK(!in.len || memcmp(back, in.data, in.len) == 0);
	if (str_unhex(s, back, strlen(s) / 2) == 0)
		str_hex(back, strlen(s) / 2, text);
}

static void check_text(struct blob in, const char *s, struct arena *a)
{
	static const char *const words[] = {"mount", "packages", "exports"};
	struct strbuf json = STRBUF(a, 10 * in.len + 10);
	char line[64];
	size_t bad = 0;

	if (!str_utf8_valid(in, &bad))
		FUZZ_CHECK(bad < in.len && str_utf8_valid((struct blob){in.data, bad}, &bad));
	str_escape(in.data, in.len, line, sizeof line);
	FUZZ_CHECK(strlen(line) < sizeof line);
	FUZZ_CHECK(str_utf8_valid((struct blob){line, strlen(line)}, &bad));
	for (const char *p = line; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7F);
	strbuf_json(&json, s);
	FUZZ_CHECK(!json.overflow && str_utf8_valid((struct blob){json.data, json.len}, &bad));
	if (strlen(s) < 64)
		(void)str_nearest(s, words, ARRAY_LEN(words));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct blob in = {(const char *)data, size};
	const char *s = arena_memdup(a, data, size);

	check_numbers(s, a);
	check_base64(in, a);
	check_hex(in, s, a);
	check_text(in, s, a);
	return 0;
}
