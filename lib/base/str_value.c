/* SPDX-License-Identifier: Apache-2.0 */
/* str.h's value parsers: text to number, size, duration, bytes. */
#include <errno.h>

#include "base/str.h"

/* Parses digits from *s on; stops at the first other character. -ERANGE if they exceed 64 bits. */
static int digits(const char **s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;
	const char *start = *s;

	for (; **s >= '0' && **s < (char)('0' + base); ++*s)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return -ERANGE;
	if (*s == start)
		return -EINVAL;
	*ret = v;
	return 0;
}

int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = digits(&s, 10, &v);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t v;
	int64_t signed_v;
	int r;

	s += negative;
	r = digits(&s, 10, &v);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	if (negative ? __builtin_sub_overflow(0, v, &signed_v)
	             : __builtin_add_overflow(0, v, &signed_v))
		return -ERANGE;
	if (signed_v < min || signed_v > max)
		return -ERANGE;
	*ret = signed_v;
	return 0;
}

int str_mode(const char *s, unsigned *ret)
{
	uint64_t v;
	int r = digits(&s, 8, &v);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	if (v > 07777)
		return -ERANGE;
	*ret = (unsigned)v;
	return 0;
}

int str_duration_ms(const char *s, uint64_t *ret)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
	uint64_t total = 0;
	const char *first = s;

	do {
		uint64_t v, ms = 0;
		bool alone = s == first;
		int r = digits(&s, 10, &v);

		if (r < 0)
			return r;
		for (size_t i = 0; i < ARRAY_LEN(units) && !ms; i++)
			if (str_starts(s, units[i].unit)) {
				ms = units[i].ms;
				s += strlen(units[i].unit);
			}
		if (!ms) {
			if (*s || !alone)
				return -EINVAL; /* only a single number may omit its unit */
			ms = 1000;
		}
		if (__builtin_mul_overflow(v, ms, &v) || __builtin_add_overflow(total, v, &total))
			return -ERANGE;
	} while (*s);
	*ret = total;
	return 0;
}

int str_size(const char *s, uint64_t *ret)
{
	static const char prefixes[] = "KMGT";
	uint64_t v;
	int r = digits(&s, 10, &v);

	if (r < 0)
		return r;
	const char *p = *s ? strchr(prefixes, *s) : NULL;
	if (p) {
		if (__builtin_mul_overflow(v, UINT64_C(1) << (10 * (p - prefixes + 1)), &v))
			return -ERANGE;
		s++;
	}
	if (*s && !str_eq(s, "B") && !(p && str_eq(s, "iB")))
		return -EINVAL;
	*ret = v;
	return 0;
}

int str_bool(const char *s, bool *ret)
{
	static const char *const words[2][9] = {
	        {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"},
	        {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"},
	};

	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < ARRAY_LEN(words[v]); i++)
			if (str_eq(s, words[v][i])) {
				*ret = v == 1;
				return 0;
			}
	return -EINVAL;
}

static int base64_value(char c)
{
	static const char alphabet[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

int str_base64_decode(struct blob in, void *out, size_t cap, size_t *ret_len)
{
	unsigned char *o = out;
	uint32_t group = 0;
	size_t n = 0, len = 0, pad = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.data[i];

		if (c == '\r' || c == '\n' || c == ' ' || c == '\t')
			continue;
		if (c == '=') {
			if (++pad > 2)
				return -EINVAL;
			group <<= 6;
		} else {
			int v = base64_value(c);

			if (v < 0 || pad)
				return -EINVAL;
			group = group << 6 | (uint32_t)v;
		}
		if (++n % 4)
			continue;
		if (len + 3 - pad > cap)
			return -ENOSPC;
		for (size_t k = 0; k < 3 - pad; k++)
			o[len++] = (unsigned char)(group >> (16 - 8 * k));
		group = 0;
	}
	if (n % 4)
		return -EINVAL;
	*ret_len = len;
	return 0;
}

size_t str_base64_encode(struct blob in, char *out, size_t cap)
{
	static const char alphabet[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)in.data;
	size_t o = 0;

	if ((in.len + 2) / 3 * 4 + 1 > cap)
		return 0;
	for (size_t i = 0; i < in.len; i += 3) {
		size_t have = in.len - i < 3 ? in.len - i : 3;
		uint32_t group = (uint32_t)s[i] << 16 | (have > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
		                 (have > 2 ? s[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			out[o++] = k <= have ? alphabet[group >> (18 - 6 * k) & 63] : '=';
	}
	out[o] = '\0';
	return o;
}

void str_hex(const void *data, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex[s[i] >> 4];
		out[2 * i + 1] = hex[s[i] & 15];
	}
	out[2 * len] = '\0';
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int str_unhex(const char *hex, void *out, size_t len)
{
	unsigned char *o = out;

	if (strlen(hex) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int hi = str_hex_digit(hex[2 * i]), lo = str_hex_digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		o[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}
