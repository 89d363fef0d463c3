/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of JSON text, which records where its values are. */
#include "data/json_check.h"

#include "data/json.h"

#define JSON_DEPTH_MAX  64
#define JSON_NODES_MAX  200000        /* keys and values */
#define JSON_STRING_MAX (1024 * 1024) /* bytes between the quotes: a file's content is one */

/* What may follow. */
enum state {
	WANT_VALUE,
	WANT_VALUE_OR_END, /* after '[' */
	WANT_KEY,
	WANT_KEY_OR_END, /* after '{' */
	WANT_COMMA,      /* or the end of the open map or list */
};

struct scan {
	const char *file;
	struct blob text;
	struct arena *arena;
	struct err *err;
	size_t at;
	struct text_place place;
	struct json_marks marks;
	enum state state;
	unsigned depth;
	char open[JSON_DEPTH_MAX]; /* '{' or '[' */
};

/* The character `ahead` of the current one; '\0' at the end, since the text contains no NUL. */
static char peek(const struct scan *s, size_t ahead)
{
	return s->at + ahead < s->text.len ? s->text.data[s->at + ahead] : '\0';
}

static int fail(const struct scan *s, size_t offset, const char *what)
{
	const struct doc at = text_at(s->file, s->text, offset);

	return doc_err(&at, s->err, REASON_INPUT_SYNTAX, "%s", what);
}

static int too_much(const struct scan *s, size_t offset, const char *what, int max)
{
	const struct doc at = text_at(s->file, s->text, offset);

	return doc_err(&at, s->err, REASON_INPUT_LIMIT, "%s, expected at most %d", what, max);
}

static int unexpected(const struct scan *s, const char *expected)
{
	const struct doc at = text_at(s->file, s->text, s->at);
	size_t len = 1;

	if (s->at >= s->text.len)
		return doc_err(&at, s->err, REASON_INPUT_SYNTAX, "the text ends here, expected %s",
		               expected);
	while (((unsigned char)peek(s, len) & 0xC0) == 0x80)
		len++;
	return doc_err(&at, s->err, REASON_INPUT_SYNTAX, "found '%.*s', expected %s", (int)len,
	               s->text.data + s->at, expected);
}

static void skip_space(struct scan *s)
{
	while (s->at < s->text.len && memchr(" \t\r\n", s->text.data[s->at], 4))
		s->at++;
}

static int mark(struct scan *s, size_t start, size_t len)
{
	struct json_marks *m = &s->marks;

	if (m->n == JSON_NODES_MAX)
		return too_much(s, start, "too many keys and values", JSON_NODES_MAX);
	text_advance(&s->place, s->text, start);
	m->items = arena_grow(s->arena, m->items, &m->n, sizeof *m->items);
	m->items[m->n - 1] = (struct json_mark){s->place.line, s->place.col, start, len};
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of \uNNNN whose backslash is at s->at + ahead, or -1. */
static int unit(const struct scan *s, size_t ahead)
{
	int value = 0;

	if (peek(s, ahead) != '\\' || peek(s, ahead + 1) != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		int digit = str_hex_digit(peek(s, ahead + i));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static int scan_unicode(struct scan *s)
{
	int high = unit(s, 0), low;

	if (high < 0)
		return fail(s, s->at, "an escape without its four digits, expected \\uNNNN");
	if (high == 0)
		return fail(s, s->at, "the escape of a NUL character, expected text");
	if (high >= 0xDC00 && high <= 0xDFFF)
		return fail(s, s->at, "a low surrogate on its own, expected a pair");
	s->at += 6;
	if (high < 0xD800 || high > 0xDBFF)
		return 0;
	low = unit(s, 0);
	if (low < 0xDC00 || low > 0xDFFF)
		return fail(s, s->at - 6, "a high surrogate on its own, expected a pair");
	s->at += 6;
	return 0;
}

static int scan_escape(struct scan *s)
{
	char c = peek(s, 1);

	if (c == 'u')
		return scan_unicode(s);
	if (!c || !strchr("\"\\/bfnrt", c))
		return fail(
		        s, s->at,
		        "an unknown escape, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
	s->at += 2;
	return 0;
}

static int scan_string(struct scan *s)
{
	size_t start = s->at++;
	int r = 0;

	while (peek(s, 0) != '"') {
		if (s->at >= s->text.len)
			return fail(s, start, "a string that is not closed, expected '\"'");
		if ((unsigned char)peek(s, 0) < 0x20)
			return fail(s, s->at,
			            "a control character in a string, expected its escape");
		if (peek(s, 0) == '\\')
			r = scan_escape(s);
		else
			s->at++;
		if (r < 0)
			return r;
	}
	s->at++;
	if (s->at - start - 2 > JSON_STRING_MAX)
		return too_much(s, start, "too many bytes in a string", JSON_STRING_MAX);
	return mark(s, start, s->at - start);
}

static int scan_digits(struct scan *s)
{
	if (!is_digit(peek(s, 0)))
		return unexpected(s, "a digit");
	while (is_digit(peek(s, 0)))
		s->at++;
	return 0;
}

/* What may follow the integer part; each part is optional. */
static int scan_fraction(struct scan *s)
{
	int r = 0;

	if (peek(s, 0) == '.') {
		s->at++;
		r = scan_digits(s);
	}
	if (r < 0 || (peek(s, 0) != 'e' && peek(s, 0) != 'E'))
		return r;
	s->at++;
	if (peek(s, 0) == '+' || peek(s, 0) == '-')
		s->at++;
	return scan_digits(s);
}

static int scan_number(struct scan *s)
{
	size_t start = s->at, first;
	int r;

	if (peek(s, 0) == '-')
		s->at++;
	first = s->at;
	r = scan_digits(s);
	if (r < 0)
		return r;
	if (s->text.data[first] == '0' && s->at > first + 1)
		return fail(s, first, "a number with a leading zero, expected none");
	r = scan_fraction(s);
	if (r < 0)
		return r;
	if (s->at - start > JSON_NUMBER_MAX)
		return too_much(s, start, "too many characters in a number", JSON_NUMBER_MAX);
	return mark(s, start, s->at - start);
}

static int scan_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if (s->text.len - s->at >= len &&
		    memcmp(s->text.data + s->at, words[i], len) == 0) {
			s->at += len;
			return mark(s, s->at - len, len);
		}
	}
	return unexpected(s, "a value");
}

static int scan_open(struct scan *s)
{
	char c = peek(s, 0);

	if (s->depth == JSON_DEPTH_MAX)
		return too_much(s, s->at, "maps and lists nested too deep", JSON_DEPTH_MAX);
	s->open[s->depth++] = c;
	s->state = c == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	s->at++;
	return mark(s, s->at - 1, 1);
}

static void close_one(struct scan *s)
{
	s->depth--;
	s->at++;
	s->state = WANT_COMMA;
}

static int scan_value(struct scan *s)
{
	char c = peek(s, 0);

	if (c == ']' && s->state == WANT_VALUE_OR_END) {
		close_one(s);
		return 0;
	}
	if (c == '{' || c == '[')
		return scan_open(s);
	s->state = WANT_COMMA;
	if (c == '"')
		return scan_string(s);
	if (c == '-' || is_digit(c))
		return scan_number(s);
	return scan_word(s);
}

static int scan_key(struct scan *s)
{
	int r;

	if (peek(s, 0) == '}' && s->state == WANT_KEY_OR_END) {
		close_one(s);
		return 0;
	}
	if (peek(s, 0) != '"')
		return unexpected(s, s->state == WANT_KEY ? "a key in double quotes"
		                                          : "a key in double quotes or '}'");
	r = scan_string(s);
	if (r < 0)
		return r;
	skip_space(s);
	if (peek(s, 0) != ':')
		return unexpected(s, "':'");
	s->at++;
	s->state = WANT_VALUE;
	return 0;
}

static int scan_comma(struct scan *s)
{
	char open = s->open[s->depth - 1];

	if (peek(s, 0) == ',') {
		s->at++;
		s->state = open == '{' ? WANT_KEY : WANT_VALUE;
		return 0;
	}
	if (peek(s, 0) != (open == '{' ? '}' : ']'))
		return unexpected(s, open == '{' ? "',' or '}'" : "',' or ']'");
	close_one(s);
	return 0;
}

static int scan_next(struct scan *s)
{
	switch (s->state) {
	case WANT_VALUE:
	case WANT_VALUE_OR_END:
		return scan_value(s);
	case WANT_KEY:
	case WANT_KEY_OR_END:
		return scan_key(s);
	case WANT_COMMA:
		break;
	}
	return scan_comma(s);
}

int json_check(const char *file, struct blob text, struct arena *a, struct json_marks *ret,
               struct err *e)
{
	struct scan s = {.file = file, .text = text, .arena = a, .err = e, .place = TEXT_START};
	int r = text_check(file, text, JSON_SIZE_MAX, e);

	if (r < 0)
		return r;
	do {
		skip_space(&s);
		r = scan_next(&s);
	} while (r == 0 && (s.depth || s.state != WANT_COMMA));
	if (r < 0)
		return r;
	skip_space(&s);
	if (s.at < text.len)
		return unexpected(&s, "nothing after the document");
	*ret = s.marks;
	return 0;
}
