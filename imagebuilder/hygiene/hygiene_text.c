/* SPDX-License-Identifier: Apache-2.0 */
/* What the needles of secrets share: sets of characters, and what looks random. */
#include <ctype.h>
#include <string.h>

#include "hygiene/hygiene_scan_own.h"

#define DISTINCT 10 /* distinct characters; placeholders like "xxxx" have fewer */

/* Sets of characters; a secret consists of letters, digits and these. */
bool hygiene_in_set(char c, const char *also)
{
	return isalnum((unsigned char)c) || (c && strchr(also, c));
}

size_t hygiene_run(const char *text, size_t len, size_t at, const char *also)
{
	size_t n = 0;

	while (at + n < len && hygiene_in_set(text[at + n], also))
		n++;
	return n;
}

/* Whether the characters look random. */
bool hygiene_is_random(const char *s, size_t len)
{
	bool seen[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		n += !seen[(unsigned char)s[i]];
		seen[(unsigned char)s[i]] = true;
	}
	return n >= DISTINCT && !memmem(s, len, "EXAMPLE", 7) && !memmem(s, len, "example", 7);
}

/* Whether it isn't the end of a longer word. */
bool hygiene_stands_alone(const char *text, size_t at)
{
	return at == 0 || !hygiene_in_set(text[at - 1], "_");
}

/* Whether at least that many characters of the set follow the needle. */
bool hygiene_is_token(const char *text, size_t len, size_t at, size_t head, size_t least,
                      const char *also)
{
	if (!hygiene_stands_alone(text, at))
		return false;
	size_t n = hygiene_run(text, len, at + head, also);
	return n >= least && hygiene_is_random(text + at + head, n);
}

/* Skips what is between a name and its value: quotes, spaces, and one of '=' and ':'. */
size_t hygiene_value_at(const char *text, size_t len, size_t at)
{
	size_t i = at;
	bool sign = false;

	while (i < len && i - at < 16 && text[i] && strchr("\"' \t=:>\\", text[i])) {
		sign = sign || text[i] == '=' || text[i] == ':';
		i++;
	}
	return sign ? i : len;
}
