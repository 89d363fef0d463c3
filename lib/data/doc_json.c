/* SPDX-License-Identifier: Apache-2.0 */
/* Documents as canonical JSON. */
#include "data/doc.h"

#include "data/json.h"

#define DEPTH_MAX 128 /* deeper than any parser reads; a translator's bug, not an input */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

/* A number by RFC 8259, so that the text can be written without quotes and json_parse() reads it
 * back. */
static bool is_number(const char *p)
{
	if (strlen(p) > JSON_NUMBER_MAX)
		return false;
	p += *p == '-';
	if (!is_digit(*p) || (p[0] == '0' && is_digit(p[1])))
		return false;
	p = skip_digits(p);
	if (*p == '.') {
		if (!is_digit(p[1]))
			return false;
		p = skip_digits(p + 1);
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		if (!is_digit(*p))
			return false;
		p = skip_digits(p);
	}
	return !*p;
}

static void put_scalar(const struct doc *d, struct strbuf *out)
{
	bool bare = !d->quoted &&
	            (str_eq(d->text, "true") || str_eq(d->text, "false") || is_number(d->text));

	if (bare)
		strbuf_str(out, d->text);
	else
		strbuf_json(out, d->text);
}

static void put(const struct doc *d, struct strbuf *out, unsigned depth)
{
	bool map = d->type == DOC_MAP;

	if (d->type == DOC_NULL) {
		strbuf_str(out, "null");
		return;
	}
	if (d->type == DOC_SCALAR) {
		put_scalar(d, out);
		return;
	}
	if (depth == DEPTH_MAX) {
		out->overflow = true;
		return;
	}
	strbuf_char(out, map ? '{' : '[');
	for (size_t i = 0; i < d->n && !out->overflow; i++) {
		if (i)
			strbuf_char(out, ',');
		if (map) {
			strbuf_json(out, d->keys[i]->text);
			strbuf_char(out, ':');
		}
		put(d->items[i], out, depth + 1);
	}
	strbuf_char(out, map ? '}' : ']');
}

void doc_json(const struct doc *d, struct strbuf *out)
{
	put(d, out, 0);
}
