/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors, aliases and merge keys of foreign documents, bounded. */
#include "data/yaml_own.h"

int yaml_anchor_add(struct yaml_build *b, const char *name, struct doc *node, size_t *ret)
{
	if (b->n_anchors == YAML_ANCHORS_MAX)
		return doc_err(node, b->err, REASON_INPUT_LIMIT,
		               "too many anchors, expected at most %d", YAML_ANCHORS_MAX);
	b->anchors = arena_grow(b->arena, b->anchors, &b->n_anchors, sizeof *b->anchors);
	b->anchors[b->n_anchors - 1] = (struct yaml_anchor){
	        .name = arena_strdup(b->arena, name),
	        .node = node,
	        .nodes = 1,
	};
	*ret = b->n_anchors;
	return 0;
}

/* A name may be defined again: the last definition counts. */
static const struct yaml_anchor *anchor_of(const struct yaml_build *b, const char *name)
{
	for (size_t i = b->n_anchors; i > 0; i--)
		if (str_eq(b->anchors[i - 1].name, name))
			return &b->anchors[i - 1];
	return NULL;
}

int yaml_alias_find(struct yaml_build *b, const yaml_event_t *ev, const struct yaml_anchor **ret)
{
	const struct doc at = yaml_place(b, &ev->start_mark);
	const char *name = (const char *)ev->data.alias.anchor;

	if (!b->foreign)
		return doc_err(&at, b->err, REASON_INPUT_UNSUPPORTED,
		               "the alias '*%s' is not supported, expected the value itself", name);
	const struct yaml_anchor *anchor = anchor_of(b, name);
	if (!anchor)
		return doc_err(&at, b->err, REASON_INPUT_SYNTAX,
		               "the alias '*%s' names nothing, expected '&%s' before it", name,
		               name);
	if (anchor->open)
		return doc_err(
		        &at, b->err, REASON_INPUT_SYNTAX,
		        "the alias '*%s' stands inside the value it names, expected it behind "
		        "that",
		        name);
	if (b->depth + anchor->height > YAML_DEPTH_MAX)
		return doc_err(&at, b->err, REASON_INPUT_LIMIT,
		               "maps and lists nested too deep, expected at most %d",
		               YAML_DEPTH_MAX);
	if (anchor->nodes > YAML_NODES_MAX - b->nodes)
		return doc_err(&at, b->err, REASON_INPUT_LIMIT,
		               "too many keys and values, expected at most %d", YAML_NODES_MAX);
	b->nodes += anchor->nodes;
	*ret = anchor;
	return 0;
}

/* ---- merge keys (https://yaml.org/type/merge.html) ---- */

static int merge_map(struct yaml_build *b, struct doc *map, const struct doc *from)
{
	if (from->type != DOC_MAP)
		return doc_err(from, b->err, REASON_INPUT_TYPE,
		               "'<<': expected a map or a list of maps, found a %s",
		               doc_type_name(from));
	if (from->n > YAML_MERGE_MAX || map->n + from->n > YAML_MERGE_MAX)
		return doc_err(from, b->err, REASON_INPUT_LIMIT,
		               "'<<': too many keys, expected at most %d", YAML_MERGE_MAX);
	for (size_t i = 0; i < from->n; i++)
		if (!doc_has(map, from->keys[i]->text))
			doc_append(b->arena, map, from->keys[i], from->items[i]);
	return 0;
}

/* If several maps have a key, the first one's value is used. */
static int merge_value(struct yaml_build *b, struct doc *map, const struct doc *value)
{
	if (value->type != DOC_LIST)
		return merge_map(b, map, value);
	for (size_t i = 0; i < value->n; i++) {
		int r = merge_map(b, map, value->items[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_merge_key(const struct doc *key)
{
	return !key->quoted && str_eq(key->text, "<<");
}

int yaml_merge(struct yaml_build *b, struct doc *map)
{
	struct doc own = *map;
	const struct doc *value = NULL;

	own.n = 0;
	own.keys = own.items = NULL;
	for (size_t i = 0; i < map->n; i++) {
		if (is_merge_key(map->keys[i]))
			value = map->items[i];
		else
			doc_append(b->arena, &own, map->keys[i], map->items[i]);
	}
	if (!value)
		return 0;
	int r = merge_value(b, &own, value);
	if (r < 0)
		return r;
	*map = own;
	return 0;
}
