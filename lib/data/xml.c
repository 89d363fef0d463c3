/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the XML of AWS's answers to a document. */
#include "data/xml.h"

#include <errno.h>
#include <stdlib.h>

struct reader {
	struct arena *arena;
	const char *file, *start, *at, *end;
	const char *const *names; /* that are taken; NULL: all */
	struct err *err;
};

static int fail(const struct reader *x, const char *what)
{
	unsigned line = 1, col = 1;

	for (const char *p = x->start; p < x->at && p < x->end; p++) {
		col = *p == '\n' ? 1 : col + 1;
		line += *p == '\n';
	}
	return err_set(x->err, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "%s:%u:%u: %s", x->file,
	               line, col, what);
}

static bool starts(const struct reader *x, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(x->end - x->at) >= len && memcmp(x->at, s, len) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct reader *x)
{
	while (x->at < x->end && is_space(*x->at))
		x->at++;
}

/* Skips up to and including the next `s`. */
static int skip_past(struct reader *x, const char *s)
{
	const char *found = memmem(x->at, (size_t)(x->end - x->at), s, strlen(s));

	if (!found)
		return fail(x, "a comment or an instruction that doesn't end");
	x->at = found + strlen(s);
	return 0;
}

/* Space, comments and processing instructions. */
static int skip_misc(struct reader *x)
{
	for (;;) {
		skip_space(x);
		bool comment = starts(x, "<!--");
		if (!comment && !starts(x, "<?"))
			return 0;
		int r = skip_past(x, comment ? "-->" : "?>");
		if (r < 0)
			return r;
	}
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == ':';
}

static struct doc *node(const struct reader *x, enum doc_type type)
{
	struct doc *d = doc_new(x->arena, type, NULL);

	d->file = x->file;
	d->text = "";
	return d;
}

/* Behind a tag's '>', past its attributes. */
static int end_tag(struct reader *x, bool *ret_empty)
{
	for (char quote = 0; x->at < x->end && (quote || *x->at != '>'); x->at++)
		if (quote ? *x->at == quote : *x->at == '"' || *x->at == '\'')
			quote = quote ? (char)0 : *x->at;
	if (x->at == x->end)
		return fail(x, "a tag that doesn't end");
	*ret_empty = x->at[-1] == '/';
	x->at++;
	return 0;
}

/* <name attributes> or <name/>; the next character is its '<'. */
static int open_tag(struct reader *x, const char **ret, bool *ret_empty)
{
	const char *name = ++x->at;

	while (x->at < x->end && is_name(*x->at))
		x->at++;
	if (x->at == name)
		return fail(x, "expected the name of an element");
	*ret = arena_memdup(x->arena, name, (size_t)(x->at - name));
	return end_tag(x, ret_empty);
}

static int entity(struct reader *x, struct strbuf *b)
{
	char character[XML_ENTITY_SIZE];
	size_t len = xml_entity((struct blob){x->at, (size_t)(x->end - x->at)}, character);

	if (!len)
		return fail(x, starts(x, "&#") ? "not a character's number" : "an unknown entity");
	strbuf_str(b, character);
	x->at += len;
	return 0;
}

/* Reads up to the next '<'. */
static int text(struct reader *x, struct strbuf *b)
{
	while (x->at < x->end && *x->at != '<') {
		if (*x->at != '&')
			strbuf_char(b, *x->at++);
		else if (entity(x, b) < 0)
			return -EINVAL;
	}
	return x->at < x->end ? 0 : fail(x, "the text ends within an element");
}

static int close_tag(struct reader *x, const char *name)
{
	size_t len = strlen(name);

	x->at += 2;
	if (!starts(x, name))
		return fail(x, "an end tag of another name");
	x->at += len;
	skip_space(x);
	if (x->at == x->end || *x->at != '>')
		return fail(x, "an end tag of another name");
	x->at++;
	return 0;
}

static bool is_item(const char *name)
{
	return str_eq(name, "item") || str_eq(name, "member");
}

/* Of S3's listings; no other answer has such elements. */
static bool is_many(const char *name)
{
	return str_eq(name, "Contents") || str_eq(name, "Version") || str_eq(name, "DeleteMarker");
}

/* The list that the map has at that name, made when there is none. */
static struct doc *list_of(struct reader *x, struct doc *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->keys[i]->text, name))
			return map->items[i];
	struct doc *list = node(x, DOC_LIST), *key = node(x, DOC_SCALAR);
	key->text = name;
	doc_append(x->arena, map, key, list);
	return list;
}

static int add_child(struct reader *x, struct doc *parent, const char *name, struct doc *child)
{
	struct doc *key;
	enum doc_type type = is_item(name) ? DOC_LIST : DOC_MAP;

	if (parent->type == DOC_NULL)
		parent->type = type;
	if (parent->type != type)
		return fail(x, "items beside named elements");
	if (type == DOC_LIST) {
		doc_push(x->arena, parent, child);
		return 0;
	}
	if (is_many(name)) {
		doc_push(x->arena, list_of(x, parent, name), child);
		return 0;
	}
	key = node(x, DOC_SCALAR);
	key->text = name;
	doc_append(x->arena, parent, key, child);
	return 0;
}

/* ---- what is passed over ---- */

static bool is_taken(const struct reader *x)
{
	const char *name = x->at + 1;
	size_t len = 0;

	while (name + len < x->end && is_name(name[len]))
		len++;
	for (size_t i = 0; x->names && x->names[i]; i++)
		if (strncmp(x->names[i], name, len) == 0 && !x->names[i][len])
			return true;
	return !x->names;
}

/* An element from its '<' to behind its end. */
static int pass_over(struct reader *x)
{
	size_t depth = 0;

	do {
		const char *tag = memchr(x->at, '<', (size_t)(x->end - x->at));
		bool empty;

		if (!tag || tag + 1 == x->end || !(is_name(tag[1]) || tag[1] == '/'))
			return fail(x, "an element that doesn't end");
		x->at = tag + 1;
		if (end_tag(x, &empty) < 0)
			return -EINVAL;
		if (tag[1] == '/')
			depth--;
		else if (!empty)
			depth++;
	} while (depth);
	return 0;
}

/* ---- elements ---- */

static int element(struct reader *x, unsigned depth, const char **ret_name, struct doc **ret);

/* Reads what is between the tags of `d`, and its end tag. */
static int content(struct reader *x, unsigned depth, const char *name, struct doc *d)
{
	struct strbuf b = STRBUF(x->arena, XML_SIZE_MAX);

	for (;;) {
		const char *child_name;
		struct doc *child;

		if (text(x, &b) < 0)
			return -EINVAL;
		if (starts(x, "</"))
			break;
		if (starts(x, "<!") || starts(x, "<?"))
			return fail(x, "only elements and text are understood");
		if (!is_taken(x)) {
			if (pass_over(x) < 0)
				return -EINVAL;
			continue;
		}
		if (element(x, depth + 1, &child_name, &child) < 0 ||
		    add_child(x, d, child_name, child) < 0)
			return -EINVAL;
	}
	if (d->type == DOC_NULL && b.len) {
		d->type = DOC_SCALAR;
		d->quoted = true;
		d->text = b.data;
	}
	for (size_t i = 0; d->type != DOC_SCALAR && i < b.len; i++)
		if (!is_space(b.data[i]))
			return fail(x, "text beside elements");
	if (d->type == DOC_MAP && doc_check_keys(d, x->err) < 0)
		return -EINVAL;
	return close_tag(x, name);
}

static int element(struct reader *x, unsigned depth, const char **ret_name, struct doc **ret)
{
	bool empty = false;

	if (depth > XML_DEPTH_MAX)
		return fail(x, "elements nested too deep");
	*ret = node(x, DOC_NULL);
	if (open_tag(x, ret_name, &empty) < 0)
		return -EINVAL;
	return empty ? 0 : content(x, depth, *ret_name, *ret);
}

static int parse(const char *file, struct blob xml, const char *const *names, struct arena *a,
                 struct doc **ret, const char **ret_root, struct err *e)
{
	struct reader x = {.arena = a, .file = file, .names = names, .err = e};
	struct doc *d;
	const char *name;
	size_t bad;

	if (xml.len > XML_SIZE_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG, "%s: larger than %d MiB",
		               file, XML_SIZE_MAX >> 20);
	x.start = x.at = xml.len ? xml.data : "";
	x.end = x.start + xml.len;
	if (memchr(x.start, '\0', xml.len) || !str_utf8_valid(xml, &bad))
		return fail(&x, "isn't UTF-8 text");
	if (skip_misc(&x) < 0)
		return -EINVAL;
	if (!starts(&x, "<") || starts(&x, "<!"))
		return fail(&x, "expected an element");
	if (element(&x, 1, &name, &d) < 0 || skip_misc(&x) < 0)
		return -EINVAL;
	if (x.at != x.end)
		return fail(&x, "something follows the document");
	*ret = d;
	if (ret_root)
		*ret_root = name;
	return 0;
}

int xml_parse(const char *file, struct blob text, struct arena *a, struct doc **ret,
              const char **ret_root, struct err *e)
{
	return parse(file, text, NULL, a, ret, ret_root, e);
}

int xml_parse_some(const char *file, struct blob text, const char *const *names, struct arena *a,
                   struct doc **ret, struct err *e)
{
	return parse(file, text, names, a, ret, NULL, e);
}
