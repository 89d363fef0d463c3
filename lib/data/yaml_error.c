/* SPDX-License-Identifier: Apache-2.0 */
/* Translates libyaml's errors to our messages. */
#include "data/yaml_error.h"

#include <stdlib.h>

#include "data/text.h"

#define WORD_MAX 40 /* bytes of quoted input in a message */

/* libyaml's problem, and our text that says what to do. `at_context`: the fault is where the
 * unfinished construct began, not where libyaml gave up. */
static const struct row {
	const char *problem;
	const char *words;
	bool at_context;
} rows[] = {
        {"could not find expected ':'", "a line without ':', expected 'key: value'", true},
        {"found character that cannot start any token",
         "%s cannot start a value, expected quotes around it", false},
        {"block sequence entries are not allowed in this context",
         "'- ' cannot stand here, expected list items on lines of their own", false},
        {"mapping keys are not allowed in this context",
         "'? ' cannot stand here, expected a plain value", false},
        {"mapping values are not allowed in this context",
         "': ' cannot stand here, expected one key a line and quotes around a value with ': ' in "
         "it",
         false},
        {"did not find expected key",
         "%s cannot stand here, expected the next key on its own line, in the column of the others",
         false},
        {"did not find expected '-' indicator",
         "%s cannot stand here, expected the next '- ' on its own line, in the column of the "
         "others",
         false},
        {"did not find expected ',' or ']'", "%s inside '[', expected ',' or ']'", false},
        {"did not find expected ',' or '}'", "%s inside '{', expected ',' or '}'", false},
        {"did not find expected node content", "%s cannot stand here, expected a value", false},
        {"did not find expected <document start>",
         "%s after the end of the document, expected nothing more", false},
        {"found a tab character where an indentation space is expected",
         "a tab in the indentation, expected spaces", false},
        {"found a tab character that violates indentation",
         "a tab in the indentation, expected spaces", false},
        {"found unexpected end of stream", "a quote is not closed, expected its end", true},
        {"found unexpected document indicator", "a quote is not closed, expected its end", true},
        {"found unexpected ':'", "':' cannot stand here, expected quotes around the value", false},
        {"found unknown escape character",
         "an unknown escape in a \"string\", expected one like \\n, \\\" or \\\\", false},
        {"did not find expected hexdecimal number",
         "an escape without its hexadecimal digits in a \"string\", expected \\xNN or \\uNNNN",
         false},
        {"found invalid Unicode character escape code",
         "an escape that is no character in a \"string\", expected a Unicode character", false},
        {"found an indentation indicator equal to 0",
         "the indentation 0 after '|' or '>', expected 1 to 9", false},
        {"did not find expected comment or line break",
         "%s after '|' or '>', expected the end of the line", false},
        {"found undefined tag handle", "a tag is not supported, expected a plain value", false},
        {"did not find expected tag URI", "a tag is not supported, expected a plain value", true},
        {"did not find URI escaped octet", "a tag is not supported, expected a plain value", true},
        {"did not find the expected '>'", "a tag is not supported, expected a plain value", true},
        {"did not find expected '!'", "a tag is not supported, expected a plain value", true},
        {"did not find expected alphabetic or numeric character",
         "%s after '&' or '*', expected quotes around the value", true},
        {"found incompatible YAML document", "an unknown version of YAML, expected 1.1 or 1.2",
         false},
        {"found unknown directive name", "an unknown directive, expected a plain document", true},
        {"control characters are not allowed", "a control character, expected text", false},
};

static const struct row *row_of(const char *problem)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(problem, rows[i].problem))
			return &rows[i];
	return NULL;
}

/* The byte offset of a mark: libyaml counts characters. */
static size_t offset_of(struct blob text, size_t index)
{
	static const char bom[] = "\xEF\xBB\xBF";
	size_t at = text.len >= 3 && memcmp(text.data, bom, 3) == 0 ? 3 : 0;

	for (; at < text.len && index; index--)
		do
			at++;
		while (at < text.len && ((unsigned char)text.data[at] & 0xC0) == 0x80);
	return at;
}

/* What is there, for messages: "'word'", "a tab", "the end of the line". */
static const char *found(struct blob text, size_t at, char out[static WORD_MAX])
{
	size_t len = 0;

	if (at >= text.len)
		return "the end of the text";
	if (text.data[at] == '\t')
		return "a tab";
	if (strchr("\r\n", text.data[at]))
		return "the end of the line";
	if (text.data[at] == ' ')
		return "a space";
	while (at + len < text.len && !strchr(" \t\r\n", text.data[at + len]))
		len++;
	out[0] = '\'';
	str_escape(text.data + at, len, out + 1, WORD_MAX - 2);
	len = strlen(out);
	out[len] = '\'';
	out[len + 1] = '\0';
	return out;
}

int yaml_error(const char *file, struct blob text, const yaml_parser_t *parser, struct err *e)
{
	const char *problem = parser->problem ? parser->problem : "malformed text";
	const struct row *row = row_of(problem);
	bool context = row && row->at_context && parser->context;
	const yaml_mark_t *mark = context ? &parser->context_mark : &parser->problem_mark;
	char token[WORD_MAX];
	struct doc at = {
	        .file = file,
	        .line = (unsigned)mark->line + 1,
	        .col = (unsigned)mark->column + 1,
	};
	const char *part;

	if (parser->error == YAML_MEMORY_ERROR)
		abort();
	if (parser->error == YAML_READER_ERROR)
		at = text_at(file, text, parser->problem_offset);
	if (!row)
		return doc_err(&at, e, REASON_INPUT_SYNTAX, "%s, expected YAML", problem);
	part = strstr(row->words, "%s");
	if (!part)
		return doc_err(&at, e, REASON_INPUT_SYNTAX, "%s", row->words);
	return doc_err(&at, e, REASON_INPUT_SYNTAX, "%s%s",
	               found(text, offset_of(text, parser->problem_mark.index), token), part + 2);
}
