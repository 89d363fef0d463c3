/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a line of sources.list(5) to pieces. */
#include "recipe/debline.h"

#include <stdio.h>

/* A part of a line. */
struct word {
	const char *at;
	size_t len;
};

/* The options that apt has for deb lines, each one's name with the '=' behind it: sources.list(5). */
static const char *const options[] = {
        "arch=",
        "lang=",
        "target=",
        "pdiffs=",
        "by-hash=",
        "allow-insecure=",
        "allow-weak=",
        "allow-downgrade-to-insecure=",
        "trusted=",
        "signed-by=",
        "check-date=",
        "check-valid-until=",
        "date-max-future=",
        "valid-until-min=",
        "valid-until-max=",
        "inrelease-path=",
        "snapshot=",
};

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static struct word next(const char **p)
{
	const char *at = skip_blanks(*p);
	struct word w = {at, strcspn(at, " \t")};

	*p = at + w.len;
	return w;
}

static bool is_option(struct word w)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		size_t len = strlen(options[i]);

		/* Of a list "+=" and "-=" change the default. */
		if (w.len > len && memcmp(w.at, options[i], len) == 0)
			return true;
		if (w.len > len + 1 && memcmp(w.at, options[i], len - 1) == 0 &&
		    strchr("+-", w.at[len - 1]) && w.at[len] == '=')
			return true;
	}
	return false;
}

/* A line in pieces. */
struct line {
	struct word options; /* all of them, as they stand between the brackets */
	struct word bad;     /* what is no option; length 0: none */
	struct word uri, suite;
	size_t components;
};

/* The next one of some options; length 0: there is none. */
static struct word next_option(struct word *rest)
{
	const char *at = skip_blanks(rest->at), *end = rest->at + rest->len;
	struct word w = {at, at < end ? strcspn(at, " \t]") : 0};

	*rest = (struct word){w.len ? at + w.len : end, w.len ? (size_t)(end - at) - w.len : 0};
	return w;
}

/* False: it has not the form of one. */
static bool take_apart(const char *text, struct line *ret)
{
	const char *p = text, *end;
	struct word w = next(&p);

	if (w.len != 3 || memcmp(w.at, "deb", 3) != 0)
		return false;
	p = skip_blanks(p);
	end = *p == '[' ? strchr(p, ']') : NULL;
	if (*p == '[' && !end)
		return false;
	if (end) {
		ret->options = (struct word){p + 1, (size_t)(end - p) - 1};
		p = end + 1;
	}
	for (struct word rest = ret->options; rest.len && (w = next_option(&rest)).len;)
		if (!is_option(w) && !ret->bad.len)
			ret->bad = w;
	ret->uri = next(&p);
	ret->suite = next(&p);
	while (next(&p).len)
		ret->components++;
	return ret->suite.len > 0;
}

static bool has_scheme(struct word uri)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz+";
	size_t len = strspn(uri.at, letters);

	return len > 0 && len + 2 < uri.len && uri.at[len] == ':' && uri.at[len + 1] == '/';
}

int debline_check(const struct doc *at, const char *text, struct err *e)
{
	struct line line = {0};

	for (const char *p = text; *p; p++)
		if ((*p < ' ' && *p != '\t') || *p > '~')
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "a source is one line of plain ASCII");
	if (!take_apart(text, &line))
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' is no source of packages, expected deb [OPTION=VALUE...] URI "
		               "SUITE COMPONENT...",
		               text);
	if (line.bad.len)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "unknown option '%.*s' of a source, see sources.list(5)",
		               (int)line.bad.len, line.bad.at);
	if (!has_scheme(line.uri))
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%.*s' is no URI of packages, expected one like "
		               "http://deb.debian.org/debian",
		               (int)line.uri.len, line.uri.at);
	bool path = line.suite.at[line.suite.len - 1] == '/';
	if (path == (line.components > 0))
		return doc_err(at, e, REASON_INPUT_RANGE,
		               path ? "'%s': a suite that ends with '/' has no components"
		                    : "'%s' names no component, expected one like main",
		               text);
	return 0;
}

/* A list with commas. */
static void add_keys(struct word list, struct arena *a, struct field_strings *ret)
{
	for (const char *p = list.at, *end = p + list.len; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((comma ? comma : end) - p);

		if (*p == '/') {
			ret->items = arena_grow(a, ret->items, &ret->n, sizeof *ret->items);
			ret->items[ret->n - 1] = arena_memdup(a, p, len);
		}
		p += len + 1;
	}
}

struct field_strings debline_keys(const char *text, struct arena *a)
{
	static const char name[] = "signed-by=";
	const size_t n = sizeof name - 1;
	struct field_strings keys = {0};
	struct line line = {0};
	struct word w;

	if (!take_apart(text, &line))
		return keys;
	for (struct word rest = line.options; rest.len && (w = next_option(&rest)).len;)
		if (w.len > n && memcmp(w.at, name, n) == 0)
			add_keys((struct word){w.at + n, w.len - n}, a, &keys);
	return keys;
}

bool debline_is_of(const char *text, const char *suite)
{
	struct line line = {0};

	return take_apart(text, &line) && line.suite.len == strlen(suite) &&
	       memcmp(line.suite.at, suite, line.suite.len) == 0;
}
