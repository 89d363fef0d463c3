/* SPDX-License-Identifier: Apache-2.0 */
/* Compares, escapes and builds strings. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return str_eq(dir, "/") || (strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]));
}

bool blob_eq(struct blob a, const char *s)
{
	return a.len == strlen(s) && (a.len == 0 || memcmp(a.data, s, a.len) == 0);
}

/* Levenshtein distance of two words up to 63 letters; longer words are "far". */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t n = strlen(a), m = strlen(b);

	if (n >= ARRAY_LEN(row) || m >= ARRAY_LEN(row))
		return 64;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[m];
}

const char *str_nearest(const char *word, const char *const *candidates, size_t n)
{
	unsigned limit = 1 + (unsigned)(strlen(word) / 4), best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned d =
		        strcasecmp(word, candidates[i]) == 0 ? 0 : distance(word, candidates[i]);

		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence at s (1-4), its code point in *cp; 0 when there is none. */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *cp)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {
	        {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		if ((s[0] & forms[k].mask) != forms[k].lead)
			continue;
		if (len < k + 1)
			return 0;
		uint32_t c = s[0] & (unsigned char)~forms[k].mask;
		for (size_t i = 1; i <= k; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[k].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*cp = c;
		return k + 1;
	}
	return 0;
}

bool str_utf8_valid(struct blob in, size_t *bad)
{
	const unsigned char *s = (const unsigned char *)in.data;
	uint32_t cp;

	for (size_t i = 0; i < in.len;) {
		size_t n = utf8_decode(s + i, in.len - i, &cp);

		if (!n) {
			*bad = i;
			return false;
		}
		i += n;
	}
	return true;
}

/* Characters that could move a terminal's cursor or reorder a line: C0, DEL, C1, bidi controls. */
static bool unprintable(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f || cp == 0x2028 ||
	       cp == 0x2029;
}

char *str_escape(const char *in, size_t len, char *out, size_t cap)
{
	const unsigned char *s = (const unsigned char *)in;
	size_t o = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		bool plain = n && !unprintable(cp);
		size_t bytes = n ? n : 1;

		if (o + (plain ? bytes : 4 * bytes) >= cap)
			break;
		if (plain) {
			memcpy(out + o, s + i, bytes);
			o += bytes;
		} else {
			for (size_t k = 0; k < bytes; k++)
				o += (size_t)snprintf(out + o, cap - o, "\\x%02x", s[i + k]);
		}
		i += bytes;
	}
	if (cap)
		out[o] = '\0';
	return out;
}

/* ---- builder ---- */

/* Room for `len` more bytes and the terminator; len is within the ceiling. */
static void reserve(struct strbuf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 256;

	if (b->len + len + 1 <= b->cap)
		return;
	while (cap < b->len + len + 1)
		cap *= 2;
	char *bigger = arena_alloc(b->arena, cap);
	if (b->len)
		memcpy(bigger, b->data, b->len);
	b->data = bigger;
	b->cap = cap;
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	if (len > b->max - b->len) {
		len = b->max - b->len;
		b->overflow = true;
	}
	reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void strbuf_str(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_char(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	if ((size_t)n >
	    b->max - b->len) { /* it is cut, at a byte that vsnprintf() would terminate */
		strbuf_str(b, arena_vprintf(b->arena, fmt, ap));
	} else {
		reserve(b, (size_t)n);
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		b->len += (size_t)n;
	}
	va_end(ap);
}

void strbuf_json(struct strbuf *b, const char *s)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len = strlen(s);

	strbuf_char(b, '"');
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode((const unsigned char *)s + i, len - i, &cp);

		if (!n) {
			strbuf_str(b, replacement);
			i++;
			continue;
		}
		if (cp == '"' || cp == '\\') {
			strbuf_char(b, '\\');
			strbuf_char(b, (char)cp);
		} else if (cp == '\n') {
			strbuf_str(b, "\\n");
		} else if (cp == '\t') {
			strbuf_str(b, "\\t");
		} else if (cp < 0x20 || cp == 0x7f) {
			strbuf_printf(b, "\\u%04x", cp);
		} else {
			strbuf_add(b, s + i, n);
		}
		i += n;
	}
	strbuf_char(b, '"');
}
