/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a document from libyaml's events. */
#include "data/yaml.h"

#include <stdlib.h>

#include "data/text.h"
#include "data/yaml_error.h"
#include "data/yaml_own.h"

static bool wants_key(const struct yaml_build *b)
{
	const struct yaml_frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

	return top && top->node->type == DOC_MAP && !top->key;
}

static int attach(struct yaml_build *b, struct doc *node)
{
	struct yaml_frame *top;

	if (!b->depth) {
		b->root = node;
		return 0;
	}
	top = &b->stack[b->depth - 1];
	if (top->node->type == DOC_LIST) {
		doc_push(b->arena, top->node, node);
		return 0;
	}
	if (top->key) {
		doc_append(b->arena, top->node, top->key, node);
		top->key = NULL;
		return 0;
	}
	if (node->type != DOC_SCALAR)
		return doc_err(node, b->err, REASON_INPUT_SYNTAX,
		               "a %s as a key, expected plain text", doc_type_name(node));
	if (!b->foreign && !node->quoted && str_eq(node->text, "<<"))
		return doc_err(node, b->err, REASON_INPUT_UNSUPPORTED,
		               "the merge key '<<' is not supported, expected the keys themselves");
	if (!node->quoted && !*node->text)
		return doc_err(node, b->err, REASON_INPUT_SYNTAX,
		               "nothing stands before ':', expected a key");
	top->key = node;
	return 0;
}

/* The types that every YAML 1.1 reader knows. */
static bool is_core_tag(const char *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	static const char *const names[] = {"str", "int", "bool", "float", "null", "map", "seq"};

	if (str_eq(tag, "!"))
		return true;
	for (size_t i = 0; str_starts(tag, prefix) && i < ARRAY_LEN(names); i++)
		if (str_eq(tag + strlen(prefix), names[i]))
			return true;
	return false;
}

/* A new node at the event's place, after checking that nothing about it is refused. */
static int new_node(struct yaml_build *b, const yaml_event_t *ev, enum doc_type type,
                    const yaml_char_t *anchor, const yaml_char_t *tag, struct doc **ret)
{
	const struct doc at = yaml_place(b, &ev->start_mark);

	if (anchor && !b->foreign)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the anchor '&%s' is not supported, expected a plain value",
		               (const char *)anchor);
	if (tag && !(b->foreign && is_core_tag((const char *)tag)))
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the tag '%s' is not supported, expected a plain value",
		               (const char *)tag);
	if (++b->nodes > YAML_NODES_MAX)
		return doc_err(&at, b->err, REASON_INPUT_LIMIT,
		               "too many keys and values, expected at most %d", YAML_NODES_MAX);
	*ret = doc_new(b->arena, type, &at);
	return 0;
}

static bool is_null(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(text, words[i]))
			return true;
	return false;
}

static int on_scalar(struct yaml_build *b, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	const char *anchor = (const char *)ev->data.scalar.anchor;
	struct doc *node;
	size_t number;
	int r = new_node(b, ev, DOC_SCALAR, ev->data.scalar.anchor, ev->data.scalar.tag, &node);

	if (r < 0)
		return r;
	if (len > YAML_SCALAR_MAX)
		return doc_err(node, b->err, REASON_INPUT_LIMIT,
		               "a value of %zu bytes, expected at most %d", len, YAML_SCALAR_MAX);
	if (memchr(text, '\0', len))
		return doc_err(node, b->err, REASON_INPUT_SYNTAX,
		               "the escape of a NUL character in a string, expected text");
	/* A tag that says "string" keeps a reader from interpreting the text, as quotes do. */
	node->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
	               str_eq((const char *)ev->data.scalar.tag, "tag:yaml.org,2002:str") ||
	               str_eq((const char *)ev->data.scalar.tag, "!");
	if (!node->quoted && !wants_key(b) && is_null(text))
		node->type = DOC_NULL;
	else
		node->text = arena_memdup(b->arena, text, len);
	r = anchor ? yaml_anchor_add(b, anchor, node, &number) : 0;
	if (r < 0)
		return r;
	return attach(b, node);
}

static int open_node(struct yaml_build *b, const yaml_event_t *ev, enum doc_type type,
                     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct yaml_frame frame = {.nodes = b->nodes};
	struct doc *node;
	int r = new_node(b, ev, type, anchor, tag, &node);

	if (r < 0)
		return r;
	if (b->depth == YAML_DEPTH_MAX)
		return doc_err(node, b->err, REASON_INPUT_LIMIT,
		               "maps and lists nested too deep, expected at most %d",
		               YAML_DEPTH_MAX);
	r = attach(b, node);
	if (r < 0)
		return r;
	r = anchor ? yaml_anchor_add(b, (const char *)anchor, node, &frame.anchor) : 0;
	if (r < 0)
		return r;
	if (frame.anchor)
		b->anchors[frame.anchor - 1].open = true;
	frame.node = node;
	b->stack[b->depth++] = frame;
	return 0;
}

static int on_map(struct yaml_build *b, const yaml_event_t *ev)
{
	return open_node(b, ev, DOC_MAP, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
}

static int on_list(struct yaml_build *b, const yaml_event_t *ev)
{
	return open_node(b, ev, DOC_LIST, ev->data.sequence_start.anchor,
	                 ev->data.sequence_start.tag);
}

/* Records that what is open contains something of that height. */
static void reach(struct yaml_build *b, unsigned height)
{
	if (b->depth && b->stack[b->depth - 1].height < height)
		b->stack[b->depth - 1].height = height;
}

static int on_close(struct yaml_build *b, const yaml_event_t *ev)
{
	const struct yaml_frame frame = b->stack[--b->depth];

	(void)ev;
	reach(b, frame.height + 1);
	if (frame.anchor) {
		struct yaml_anchor *anchor = &b->anchors[frame.anchor - 1];

		anchor->open = false;
		anchor->nodes = b->nodes - frame.nodes;
		anchor->height = frame.height + 1;
	}
	if (frame.node->type != DOC_MAP)
		return 0;
	int r = doc_check_keys(frame.node, b->err);
	if (r < 0 || !b->foreign)
		return r;
	return yaml_merge(b, frame.node);
}

static int on_alias(struct yaml_build *b, const yaml_event_t *ev)
{
	const struct yaml_anchor *anchor;
	int r = yaml_alias_find(b, ev, &anchor);

	if (r < 0)
		return r;
	reach(b, anchor->height);
	return attach(b, anchor->node);
}

static int on_document(struct yaml_build *b, const yaml_event_t *ev)
{
	const struct doc at = yaml_place(b, &ev->start_mark);

	if (b->root)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "a second document starts here, expected one");
	if (ev->data.document_start.tag_directives.start !=
	    ev->data.document_start.tag_directives.end)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the directive %%TAG is not supported, expected a plain document");
	return 0;
}

static int (*const handlers[])(struct yaml_build *, const yaml_event_t *) = {
        [YAML_DOCUMENT_START_EVENT] = on_document, [YAML_ALIAS_EVENT] = on_alias,
        [YAML_SCALAR_EVENT] = on_scalar,           [YAML_SEQUENCE_START_EVENT] = on_list,
        [YAML_SEQUENCE_END_EVENT] = on_close,      [YAML_MAPPING_START_EVENT] = on_map,
        [YAML_MAPPING_END_EVENT] = on_close,
};

/* 1 at the end of the text, 0 to continue. */
static int next_event(yaml_parser_t *parser, struct yaml_build *b, struct blob text)
{
	yaml_event_t ev;
	int r = 0;

	if (!yaml_parser_parse(parser, &ev))
		return yaml_error(b->file, text, parser, b->err);
	if (ev.type == YAML_STREAM_END_EVENT)
		r = 1;
	else if ((size_t)ev.type < ARRAY_LEN(handlers) && handlers[ev.type])
		r = handlers[ev.type](b, &ev);
	yaml_event_delete(&ev);
	return r;
}

static int parse(struct yaml_build *b, struct blob text, struct doc **ret)
{
	const struct doc top = {.file = b->file, .line = 1, .col = 1};
	yaml_parser_t parser;
	int r = text_check(b->file, text, YAML_SIZE_MAX, b->err);

	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
	while (!r)
		r = next_event(&parser, b, text);
	yaml_parser_delete(&parser);
	if (r < 0)
		return r;
	*ret = b->root ? b->root : doc_new(b->arena, DOC_NULL, &top);
	return 0;
}

int yaml_parse(const char *file, struct blob text, struct arena *a, struct doc **ret, struct err *e)
{
	struct yaml_build b = {.file = file, .arena = a, .err = e};

	return parse(&b, text, ret);
}

int yaml_parse_foreign(const char *file, struct blob text, struct arena *a, struct doc **ret,
                       struct err *e)
{
	struct yaml_build b = {.file = file, .arena = a, .err = e, .foreign = true};
	struct doc *d;
	int r = parse(&b, text, &d);

	if (r < 0)
		return r;
	doc_mark_foreign(d);
	*ret = d;
	return 0;
}
