/* SPDX-License-Identifier: Apache-2.0 */
#include "data/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "data/text.h"
#include "data/yaml_error.h"

#define YAML_DEPTH_MAX  32          /* maps and lists inside each other */
#define YAML_NODES_MAX  50000       /* keys and values */
#define YAML_SCALAR_MAX (64 * 1024) /* bytes of one key or value */

/* The tree so far: open maps and lists, outermost first. No recursion anywhere, here or in libyaml.
 */
struct build {
	const char *file;
	struct arena *arena;
	struct err *err;
	struct doc *root;
	size_t nodes;
	unsigned depth;
	struct frame {
		struct doc *node;
		struct doc *key; /* of a map: read, and waiting for its value */
	} stack[YAML_DEPTH_MAX];
};

static struct doc place_of(const struct build *b, const yaml_mark_t *mark)
{
	return (struct doc){
	        .file = b->file,
	        .line = (unsigned)mark->line + 1,
	        .col = (unsigned)mark->column + 1,
	};
}

static bool wants_key(const struct build *b)
{
	const struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

	return top && top->node->type == DOC_MAP && !top->key;
}

static int attach(struct build *b, struct doc *node)
{
	struct frame *top;

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
	if (!node->quoted && str_eq(node->text, "<<"))
		return doc_err(node, b->err, REASON_INPUT_UNSUPPORTED,
		               "the merge key '<<' is not supported, expected the keys themselves");
	if (!node->quoted && !*node->text)
		return doc_err(node, b->err, REASON_INPUT_SYNTAX,
		               "nothing stands before ':', expected a key");
	top->key = node;
	return 0;
}

/* A new node where the event stands, once nothing about it is refused. */
static int new_node(struct build *b, const yaml_event_t *ev, enum doc_type type,
                    const yaml_char_t *anchor, const yaml_char_t *tag, struct doc **ret)
{
	const struct doc at = place_of(b, &ev->start_mark);

	if (anchor)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the anchor '&%s' is not supported, expected a plain value",
		               (const char *)anchor);
	if (tag)
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

static int on_scalar(struct build *b, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct doc *node;
	int r;

	r = new_node(b, ev, DOC_SCALAR, ev->data.scalar.anchor, ev->data.scalar.tag, &node);
	if (r < 0)
		return r;
	if (len > YAML_SCALAR_MAX)
		return doc_err(node, b->err, REASON_INPUT_LIMIT,
		               "a value of %zu bytes, expected at most %d", len, YAML_SCALAR_MAX);
	if (memchr(text, '\0', len))
		return doc_err(node, b->err, REASON_INPUT_SYNTAX,
		               "the escape of a NUL character in a string, expected text");
	node->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (!node->quoted && !wants_key(b) && is_null(text))
		node->type = DOC_NULL;
	else
		node->text = arena_memdup(b->arena, text, len);
	return attach(b, node);
}

static int open_node(struct build *b, const yaml_event_t *ev, enum doc_type type,
                     const yaml_char_t *anchor, const yaml_char_t *tag)
{
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
	b->stack[b->depth++] = (struct frame){.node = node};
	return 0;
}

static int on_map(struct build *b, const yaml_event_t *ev)
{
	return open_node(b, ev, DOC_MAP, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
}

static int on_list(struct build *b, const yaml_event_t *ev)
{
	return open_node(b, ev, DOC_LIST, ev->data.sequence_start.anchor,
	                 ev->data.sequence_start.tag);
}

static int on_close(struct build *b, const yaml_event_t *ev)
{
	const struct doc *node = b->stack[--b->depth].node;

	(void)ev;
	return node->type == DOC_MAP ? doc_check_keys(node, b->err) : 0;
}

static int on_alias(struct build *b, const yaml_event_t *ev)
{
	const struct doc at = place_of(b, &ev->start_mark);

	return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
	               "the alias '*%s' is not supported, expected the value itself",
	               (const char *)ev->data.alias.anchor);
}

static int on_document(struct build *b, const yaml_event_t *ev)
{
	const struct doc at = place_of(b, &ev->start_mark);

	if (b->root)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "a second document starts here, expected one");
	if (ev->data.document_start.tag_directives.start !=
	    ev->data.document_start.tag_directives.end)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the directive %%TAG is not supported, expected a plain document");
	return 0;
}

static int (*const handlers[])(struct build *, const yaml_event_t *) = {
        [YAML_DOCUMENT_START_EVENT] = on_document, [YAML_ALIAS_EVENT] = on_alias,
        [YAML_SCALAR_EVENT] = on_scalar,           [YAML_SEQUENCE_START_EVENT] = on_list,
        [YAML_SEQUENCE_END_EVENT] = on_close,      [YAML_MAPPING_START_EVENT] = on_map,
        [YAML_MAPPING_END_EVENT] = on_close,
};

/* 1 at the end of the text, 0 to go on. */
static int next_event(yaml_parser_t *parser, struct build *b, struct blob text)
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

int yaml_parse(const char *file, struct blob text, struct arena *a, struct doc **ret, struct err *e)
{
	struct build b = {.file = file, .arena = a, .err = e};
	const struct doc top = {.file = file, .line = 1, .col = 1};
	yaml_parser_t parser;
	int r = text_check(file, text, YAML_SIZE_MAX, e);

	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
	while (!r)
		r = next_event(&parser, &b, text);
	yaml_parser_delete(&parser);
	if (r < 0)
		return r;
	*ret = b.root ? b.root : doc_new(a, DOC_NULL, &top);
	return 0;
}
