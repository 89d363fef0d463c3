/* SPDX-License-Identifier: Apache-2.0 */
/* Line and column in a text, and checks that it is text. */
#include "data/text.h"

/* A byte order mark at the start doesn't count as a character: libyaml doesn't count it either. */
static bool is_mark(struct blob text, size_t offset)
{
	return !offset && text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0;
}

void text_advance(struct text_place *p, struct blob text, size_t to)
{
	if (to > text.len)
		to = text.len;
	for (; p->offset < to; p->offset++) {
		unsigned char c = (unsigned char)text.data[p->offset];
		bool crlf =
		        c == '\r' && p->offset + 1 < text.len && text.data[p->offset + 1] == '\n';

		if (c == '\n' || (c == '\r' && !crlf)) {
			p->line++;
			p->col = 1;
		} else if ((c & 0xC0) != 0x80 && !is_mark(text, p->offset)) {
			p->col++;
		}
	}
}

struct doc text_at(const char *file, struct blob text, size_t offset)
{
	struct text_place p = TEXT_START;

	text_advance(&p, text, offset);
	return (struct doc){
	        .type = DOC_NULL, .line = p.line, .col = p.col, .file = file, .text = ""};
}

int text_check(const char *file, struct blob text, size_t ceiling, struct err *e)
{
	const char *nul;
	size_t bad;
	struct doc at;

	if (text.len > ceiling) {
		at = text_at(file, text, ceiling);
		return doc_err(&at, e, REASON_INPUT_LIMIT,
		               "the text has %zu bytes, expected at most %zu", text.len, ceiling);
	}
	nul = text.len ? memchr(text.data, '\0', text.len) : NULL;
	if (nul) {
		at = text_at(file, text, (size_t)(nul - text.data));
		return doc_err(&at, e, REASON_INPUT_SYNTAX, "a NUL byte, expected text");
	}
	if (!str_utf8_valid(text, &bad)) {
		at = text_at(file, text, bad);
		return doc_err(&at, e, REASON_INPUT_SYNTAX,
		               "byte 0x%02X is not valid UTF-8, expected text",
		               (unsigned char)text.data[bad]);
	}
	return 0;
}
