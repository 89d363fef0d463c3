/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: views, a bounded builder, and value parsers that never allocate and ignore the locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/attr.h"

/* Bytes with a length; not terminated unless said so. A `struct blob` owns nothing. */
struct blob {
	const char *data;
	size_t len;
};

static inline bool str_eq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Whether the path is `dir` or lies below it; both in normal form, as claim_path() makes it. */
bool str_is_below(const char *path, const char *dir);
bool blob_eq(struct blob a, const char *s);

/* Whole-string parsers: 0, -EINVAL (not one) or -ERANGE (outside [min, max]). No sign, space or
 * hex. */
int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int str_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* Octal file mode "0644" or "644", at most 07777. */
int str_mode(const char *s, unsigned *ret);
/* "300s", "10m", "1h", "250ms", "1h30m"; a bare number is seconds. Result in milliseconds. */
int str_duration_ms(const char *s, uint64_t *ret);
/* "512", "64K", "10M", "2G", "1T" with optional "iB" or "B"; powers of 1024. Result in bytes. */
int str_size(const char *s, uint64_t *ret);
/* true/false, yes/no, on/off in lower case, Capitalised or UPPER case. */
int str_bool(const char *s, bool *ret);

/* 0 to 15, or -1 if `c` is not a hexadecimal digit. */
int str_hex_digit(char c);

/* RFC 4648 base64, standard alphabet, CR/LF/space/tab skipped, padding required. -EINVAL or
 * -ENOSPC. */
int str_base64_decode(struct blob in, void *out, size_t cap, size_t *ret_len);
size_t str_base64_encode(struct blob in, char *out, size_t cap); /* 0 when cap is too small */
void str_hex(const void *data, size_t len, char *out);           /* out holds 2*len+1 */
int str_unhex(const char *hex, void *out, size_t len); /* exactly 2*len digits, or -EINVAL */

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms); *bad gets the offset of the
 * fault. */
bool str_utf8_valid(struct blob in, size_t *bad);

/* The candidate nearest to `word` if it is near enough to be a typing error (distance <= 1 +
 * len/4), or NULL. */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);

/*
 * Makes remote text safe for one line of a terminal or log: control characters, DEL, C1, bidi
 * overrides and invalid UTF-8 become \xNN; the result is cut to cap-1 bytes. Returns out.
 */
char *str_escape(const char *in, size_t len, char *out, size_t cap);

/* Builder with a ceiling: past `max` bytes it keeps what fits and sets `overflow`. */
struct strbuf {
	struct arena *arena;
	char *data; /* terminated; NULL until something was added */
	size_t len, cap, max;
	bool overflow;
};

#define STRBUF(a, ceiling)                                                                         \
	(struct strbuf)                                                                            \
	{                                                                                          \
		.arena = (a), .max = (ceiling)                                                     \
	}
void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_str(struct strbuf *b, const char *s);
void strbuf_char(struct strbuf *b, char c);
/* None of the arguments may point into b's own text. */
void strbuf_printf(struct strbuf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void strbuf_json(struct strbuf *b, const char *s);
