/* SPDX-License-Identifier: Apache-2.0 */
/* MIME header fields and the parts of a multipart. */
#include "userdata/mime.h"

#include <strings.h>

#define MIME_FIELDS_MAX 64 /* header fields of one entity */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_char(char c)
{
	return c > ' ' && c < 0x7F && c != ':';
}

static struct blob skip(struct blob b, size_t n)
{
	return (struct blob){b.data + n, b.len - n};
}

static struct blob trim(struct blob b)
{
	while (b.len && is_space(b.data[0]))
		b = skip(b, 1);
	while (b.len && is_space(b.data[b.len - 1]))
		b.len--;
	return b;
}

bool mime_is(struct blob token, const char *word)
{
	return token.len == strlen(word) && strncasecmp(token.data, word, token.len) == 0;
}

bool mime_starts(struct blob token, const char *prefix)
{
	size_t len = strlen(prefix);

	return token.len >= len && strncasecmp(token.data, prefix, len) == 0;
}

/* The length of the first line with its line break. */
static size_t line_length(struct blob text)
{
	const char *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

	return end ? (size_t)(end - text.data) + 1 : text.len;
}

/* The length of a line of `len` bytes without its LF or CRLF. */
static size_t line_text(struct blob text, size_t len)
{
	if (len && text.data[len - 1] == '\n')
		len--;
	if (len && text.data[len - 1] == '\r')
		len--;
	return len;
}

/* Reads a field with its folded lines: 1 with *name and *value, and *text after it; 0 at the empty
 * line that ends the fields, *text after it; -1 if this is not a field. */
static int next_field(struct blob *text, struct blob *name, struct blob *value)
{
	size_t len = line_length(*text), colon = 0;

	if (!line_text(*text, len)) {
		*text = skip(*text, len);
		return 0;
	}
	while (colon < len && is_name_char(text->data[colon]))
		colon++;
	if (!colon || colon == len || text->data[colon] != ':')
		return -1;
	while (len < text->len && (text->data[len] == ' ' || text->data[len] == '\t'))
		len += line_length(skip(*text, len));
	*name = (struct blob){text->data, colon};
	*value = trim((struct blob){text->data + colon + 1, len - colon - 1});
	*text = skip(*text, len);
	return 1;
}

/* Copies a parameter's value to `out`, unquoted; returns the rest. Empty if it doesn't fit. */
static struct blob take_value(struct blob b, char *out, size_t cap)
{
	bool quoted = b.len && b.data[0] == '"';
	size_t n = 0;

	if (quoted)
		b = skip(b, 1);
	while (b.len && (quoted ? b.data[0] != '"' : b.data[0] != ';' && !is_space(b.data[0]))) {
		if (quoted && b.data[0] == '\\' && b.len > 1)
			b = skip(b, 1);
		if (n < cap)
			out[n] = b.data[0];
		n++;
		b = skip(b, 1);
	}
	if (n >= cap)
		n = 0;
	out[n] = '\0';
	return quoted && b.len ? skip(b, 1) : b;
}

/* "type/subtype; name=value; ..." */
static void read_type(struct blob value, struct mime_entity *m)
{
	size_t len = 0;

	while (len < value.len && value.data[len] != ';' && !is_space(value.data[len]))
		len++;
	m->type = (struct blob){value.data, len};
	value = skip(value, len);
	while (value.len) {
		char other[MIME_BOUNDARY_MAX + 1];
		struct blob name;

		for (len = 0; len < value.len && value.data[len] != '=' && value.data[len] != ';';)
			len++;
		name = trim((struct blob){value.data, len});
		value = skip(value, len + (len < value.len));
		if (len && value.data[-1] == '=')
			value = take_value(trim(value),
			                   mime_is(name, "boundary") ? m->boundary : other,
			                   sizeof other);
	}
}

bool mime_read(struct blob text, struct mime_entity *ret)
{
	struct mime_entity m = {0};
	struct blob name, value;
	int more = 1;

	for (size_t i = 0; text.len && more; i++) {
		more = i < MIME_FIELDS_MAX ? next_field(&text, &name, &value) : -1;
		if (more < 0)
			return false;
		if (more && !m.type.data && mime_is(name, "Content-Type"))
			read_type(value, &m);
		else if (more && !m.encoding.data && mime_is(name, "Content-Transfer-Encoding"))
			m.encoding = value;
	}
	m.body = text;
	*ret = m;
	return true;
}

enum delimiter { NONE, OPENS, CLOSES };

static enum delimiter delimiter(struct blob line, const char *boundary)
{
	size_t len = strlen(boundary);
	bool closes;

	if (line.len < len + 2 || memcmp(line.data, "--", 2) != 0 ||
	    memcmp(line.data + 2, boundary, len) != 0)
		return NONE;
	line = skip(line, len + 2);
	closes = line.len >= 2 && memcmp(line.data, "--", 2) == 0;
	if (closes)
		line = skip(line, 2);
	if (trim(line).len)
		return NONE;
	return closes ? CLOSES : OPENS;
}

/* Reads up to and including the next delimiter line. */
static enum delimiter next_delimiter(struct mime_parts *p, struct blob *before)
{
	*before = (struct blob){p->rest.data, 0};
	while (p->rest.len) {
		size_t len = line_length(p->rest);
		enum delimiter d = delimiter((struct blob){p->rest.data, len}, p->boundary);

		p->rest = skip(p->rest, len);
		if (d != NONE) {
			before->len = line_text(*before, before->len);
			if (d == CLOSES)
				p->rest.len = 0;
			return d;
		}
		before->len += len;
	}
	return NONE;
}

bool mime_next(struct mime_parts *p, struct blob *ret, bool *ret_closed)
{
	struct blob part;

	if (!p->started && next_delimiter(p, &part) != OPENS)
		return false;
	p->started = true;
	if (!p->rest.len)
		return false;
	*ret_closed = next_delimiter(p, &part) != NONE;
	*ret = part;
	return true;
}
