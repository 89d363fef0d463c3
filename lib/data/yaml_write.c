/* SPDX-License-Identifier: Apache-2.0 */
/* Writes documents as YAML. */
#include "data/yaml_write.h"

#include <strings.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

/* ---- scalars ---- */

bool yaml_needs_quotes(const char *text)
{
	static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
	                                    "off", "true", "false", "null"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return !*text || !strchr(letters, *text) || text[strspn(text, plain)];
}

/* What isn't quoted may be a number: its sign and its point are plain, too. A '-' alone begins a list. */
static bool is_plain(const struct doc *d)
{
	const char *first = d->text + (*d->text == '-');

	return !d->quoted && *first && *first != '-' && !d->text[strspn(d->text, plain)];
}

static void scalar(const struct doc *d, struct strbuf *out)
{
	if (d->type == DOC_NULL)
		strbuf_str(out, "null");
	else if (is_plain(d) || (d->quoted && !yaml_needs_quotes(d->text)))
		strbuf_str(out, d->text);
	else
		strbuf_json(out, d->text);
}

/* ---- blocks ---- */

static bool is_block(const struct doc *d)
{
	return (d->type == DOC_MAP || d->type == DOC_LIST) && d->n;
}

static void indent(struct strbuf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		strbuf_str(out, "  ");
}

static void write_block(const struct doc *d, unsigned depth, bool begun, struct strbuf *out);

/* Behind "key:" or "-"; a list in a list, or a map in one, begins on the same line. */
static void value(const struct doc *d, unsigned depth, bool in_list, struct strbuf *out)
{
	if (!is_block(d)) {
		strbuf_char(out, ' ');
		if (d->type == DOC_MAP || d->type == DOC_LIST)
			strbuf_str(out, d->type == DOC_MAP ? "{}" : "[]");
		else
			scalar(d, out);
		strbuf_char(out, '\n');
		return;
	}
	strbuf_char(out, in_list ? ' ' : '\n');
	write_block(d, depth + 1, in_list, out);
}

/* `begun`: the first line's indentation is there. */
static void write_block(const struct doc *d, unsigned depth, bool begun, struct strbuf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		if (i || !begun)
			indent(out, depth);
		if (d->type == DOC_LIST) {
			strbuf_char(out, '-');
			value(d->items[i], depth, true, out);
			continue;
		}
		if (yaml_needs_quotes(d->keys[i]->text))
			strbuf_json(out, d->keys[i]->text);
		else
			strbuf_str(out, d->keys[i]->text);
		strbuf_char(out, ':');
		value(d->items[i], depth, false, out);
	}
}

void yaml_write(const struct doc *d, struct strbuf *out)
{
	write_block(d, 0, false, out);
}
