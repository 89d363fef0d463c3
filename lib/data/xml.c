/* SPDX-License-Identifier: Apache-2.0 */
#include "data/xml.h"

#include <errno.h>
#include <stdlib.h>

struct reader {
	struct arena *arena;
	const char *file, *start, *at, *end;
	struct err *err;
};

static int fail(const struct reader *r, const char *what)
{
	unsigned line = 1, col = 1;

	for (const char *p = r->start; p < r->at && p < r->end; p++) {
		col = *p == '\n' ? 1 : col + 1;
		line += *p == '\n';
	}
	return err_set(r->err, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "%s:%u:%u: %s", r->file,
	               line, col, what);
}

static bool starts(const struct reader *r, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(r->end - r->at) >= len && memcmp(r->at, s, len) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && is_space(*r->at))
		r->at++;
}

/* To behind the next `s`. */
static int skip_past(struct reader *r, const char *s)
{
	const char *found = memmem(r->at, (size_t)(r->end - r->at), s, strlen(s));

	if (!found)
		return fail(r, "something was begun that doesn't end");
	r->at = found + strlen(s);
	return 0;
}

/* Space, comments and processing instructions. */
static int skip_misc(struct reader *r)
{
	for (int rc = 0; rc == 0;) {
		skip_space(r);
		if (starts(r, "<!--"))
			rc = skip_past(r, "-->");
		else if (starts(r, "<?"))
			rc = skip_past(r, "?>");
		else
			return 0;
	}
	return -EINVAL;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == ':';
}

static struct doc *node(const struct reader *r, enum doc_type type)
{
	struct doc *d = doc_new(r->arena, type, NULL);

	d->file = r->file;
	d->text = "";
	return d;
}

/* <name attributes> or <name/>, whose '<' is next. */
static int open_tag(struct reader *r, const char **ret, bool *ret_empty)
{
	const char *name = ++r->at;

	while (r->at < r->end && is_name(*r->at))
		r->at++;
	if (r->at == name)
		return fail(r, "expected the name of an element");
	*ret = arena_memdup(r->arena, name, (size_t)(r->at - name));
	for (char quote = 0; r->at < r->end && (quote || *r->at != '>'); r->at++)
		if (quote ? *r->at == quote : *r->at == '"' || *r->at == '\'')
			quote = quote ? (char)0 : *r->at;
	if (r->at == r->end)
		return fail(r, "a tag that doesn't end");
	*ret_empty = r->at[-1] == '/';
	r->at++;
	return 0;
}

static void put_utf8(struct strbuf *b, unsigned long c)
{
	if (c < 0x80) {
		strbuf_char(b, (char)c);
	} else if (c < 0x800) {
		strbuf_char(b, (char)(0xc0 | c >> 6));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_char(b, (char)(0xe0 | c >> 12));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_char(b, (char)(0xf0 | c >> 18));
		strbuf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

static int numbered(struct reader *r, struct strbuf *b)
{
	bool hex = starts(r, "&#x");
	char *stop;
	unsigned long c;

	r->at += hex ? 3 : 2;
	/* strtoul would take space and signs, and the text ends with a NUL. */
	if (r->at == r->end || *r->at == '-' || *r->at == '+' || is_space(*r->at))
		return fail(r, "not a character's number");
	c = strtoul(r->at, &stop, hex ? 16 : 10);
	if (stop == r->at || *stop != ';' || c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(r, "not a character's number");
	put_utf8(b, c);
	r->at = stop + 1;
	return 0;
}

static int entity(struct reader *r, struct strbuf *b)
{
	static const struct {
		const char *name;
		char c;
	} known[] = {
	        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

	if (starts(r, "&#"))
		return numbered(r, b);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (starts(r, known[i].name)) {
			strbuf_char(b, known[i].c);
			r->at += strlen(known[i].name);
			return 0;
		}
	return fail(r, "an entity that isn't known");
}

/* Up to the next '<'. */
static int text(struct reader *r, struct strbuf *b)
{
	while (r->at < r->end && *r->at != '<') {
		if (*r->at != '&')
			strbuf_char(b, *r->at++);
		else if (entity(r, b) < 0)
			return -EINVAL;
	}
	return r->at < r->end ? 0 : fail(r, "the text ends within an element");
}

static int close_tag(struct reader *r, const char *name)
{
	size_t len = strlen(name);

	r->at += 2;
	if (!starts(r, name))
		return fail(r, "an end tag of another name");
	r->at += len;
	skip_space(r);
	if (r->at == r->end || *r->at != '>')
		return fail(r, "an end tag of another name");
	r->at++;
	return 0;
}

static bool is_item(const char *name)
{
	return str_eq(name, "item") || str_eq(name, "member");
}

static int add_child(struct reader *r, struct doc *parent, const char *name, struct doc *child)
{
	struct doc *key;
	enum doc_type type = is_item(name) ? DOC_LIST : DOC_MAP;

	if (parent->type == DOC_NULL)
		parent->type = type;
	if (parent->type != type)
		return fail(r, "items beside named elements");
	if (type == DOC_LIST) {
		doc_push(r->arena, parent, child);
		return 0;
	}
	key = node(r, DOC_SCALAR);
	key->text = name;
	doc_append(r->arena, parent, key, child);
	return 0;
}

static int element(struct reader *r, unsigned depth, const char **ret_name, struct doc **ret);

/* What stands between the tags of `d`, its end tag included. */
static int content(struct reader *r, unsigned depth, const char *name, struct doc *d)
{
	struct strbuf b = STRBUF(r->arena, XML_SIZE_MAX);

	for (;;) {
		const char *child_name;
		struct doc *child;

		if (text(r, &b) < 0)
			return -EINVAL;
		if (starts(r, "</"))
			break;
		if (starts(r, "<!") || starts(r, "<?"))
			return fail(r, "only elements and text are understood");
		if (element(r, depth + 1, &child_name, &child) < 0 ||
		    add_child(r, d, child_name, child) < 0)
			return -EINVAL;
	}
	if (d->type == DOC_NULL && b.len) {
		d->type = DOC_SCALAR;
		d->quoted = true;
		d->text = b.data;
	}
	for (size_t i = 0; d->type != DOC_SCALAR && i < b.len; i++)
		if (!is_space(b.data[i]))
			return fail(r, "text beside elements");
	if (d->type == DOC_MAP && doc_check_keys(d, r->err) < 0)
		return -EINVAL;
	return close_tag(r, name);
}

static int element(struct reader *r, unsigned depth, const char **ret_name, struct doc **ret)
{
	bool empty = false;

	if (depth > XML_DEPTH_MAX)
		return fail(r, "elements nested too deep");
	*ret = node(r, DOC_NULL);
	if (open_tag(r, ret_name, &empty) < 0)
		return -EINVAL;
	return empty ? 0 : content(r, depth, *ret_name, *ret);
}

int xml_parse(const char *file, struct blob xml, struct arena *a, struct doc **ret,
              const char **ret_root, struct err *e)
{
	struct reader r = {.arena = a, .file = file, .err = e};
	struct doc *d;
	const char *name;
	size_t bad;

	if (xml.len > XML_SIZE_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG, "%s: larger than %d MiB",
		               file, XML_SIZE_MAX >> 20);
	r.start = r.at = xml.len ? arena_memdup(a, xml.data, xml.len) : "";
	r.end = r.start + xml.len;
	if (memchr(r.start, '\0', xml.len) || !str_utf8_valid(xml, &bad))
		return fail(&r, "isn't UTF-8 text");
	if (skip_misc(&r) < 0)
		return -EINVAL;
	if (!starts(&r, "<") || starts(&r, "<!"))
		return fail(&r, "expected an element");
	if (element(&r, 1, &name, &d) < 0 || skip_misc(&r) < 0)
		return -EINVAL;
	if (r.at != r.end)
		return fail(&r, "something follows the document");
	*ret = d;
	if (ret_root)
		*ret_root = name;
	return 0;
}
