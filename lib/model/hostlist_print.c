/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Slurm's short form for many nodes. */
#include <stdio.h>
#include <stdlib.h>

#include "model/hostlist.h"

#define DIGITS     "0123456789"
#define DIGITS_MAX 9 /* of a number, so that it fits into 32 bits */

/* A name as what comes before its last digits, and these. */
struct parts {
	size_t prefix, width;
	uint32_t number;
};

static struct parts take_apart(const char *name)
{
	size_t len = strlen(name), at = len;

	while (at && len - at < DIGITS_MAX && strchr(DIGITS, name[at - 1]))
		at--;
	/* A digit before it would be read as a part of the number. */
	if (at == 0 || at == len || strchr(DIGITS, name[at - 1]))
		return (struct parts){.prefix = len};
	return (struct parts){at, len - at, (uint32_t)strtoul(name + at, NULL, 10)};
}

static bool together(const char *a, struct parts x, const char *b, struct parts y)
{
	return x.width && y.width && x.prefix == y.prefix && memcmp(a, b, x.prefix) == 0;
}

/* The next number in the same form: 9 is followed by 10, and 09 by 10, but 9 not by 010. */
static bool follows(struct parts x, struct parts y)
{
	char next[16];

	return y.number == x.number + 1 && (size_t)snprintf(next, sizeof next, "%0*u", (int)x.width,
	                                                    (unsigned)y.number) == y.width;
}

/* How many names from `from` on are one range. The width of a range is that of its first. */
static size_t run_of(const char *const *names, size_t from, size_t n)
{
	struct parts first = take_apart(names[from]), last = first;
	size_t k = 1;

	for (; from + k < n; k++) {
		struct parts next = take_apart(names[from + k]);

		if (!together(names[from], first, names[from + k], next) || !follows(last, next))
			break;
		last = next;
	}
	return k;
}

/* Names that one pair of brackets can hold, as they stand behind each other. */
static size_t group_of(const char *const *names, size_t from, size_t n)
{
	struct parts first = take_apart(names[from]);
	size_t k = 1;

	while (from + k < n &&
	       together(names[from], first, names[from + k], take_apart(names[from + k])))
		k++;
	return k;
}

static void put_group(const char *const *names, size_t n, struct strbuf *out)
{
	size_t prefix = take_apart(names[0]).prefix, k;

	strbuf_printf(out, "%.*s%s", (int)prefix, names[0], n > 1 ? "[" : "");
	for (size_t i = 0; i < n; i += k) {
		k = run_of(names, i, n);
		strbuf_printf(out, "%s%s", i ? "," : "", names[i] + prefix);
		if (k > 1)
			strbuf_printf(out, "-%s", names[i + k - 1] + prefix);
	}
	if (n > 1)
		strbuf_char(out, ']');
}

const char *hostlist_print(const char *const *names, size_t n, struct arena *a)
{
	struct strbuf out = STRBUF(a, HOSTLIST_TEXT);
	size_t k;

	strbuf_str(&out, "");
	for (size_t i = 0; i < n; i += k) {
		k = group_of(names, i, n);
		if (i)
			strbuf_char(&out, ',');
		put_group(names + i, k, &out);
	}
	return out.data;
}
