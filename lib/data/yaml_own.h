/* SPDX-License-Identifier: Apache-2.0 */
/* What yaml.c and yaml_alias.c share; not for others. */
#pragma once

#include <yaml.h>

#include "data/doc.h"

#define YAML_DEPTH_MAX   32            /* maps and lists inside each other, through aliases too */
#define YAML_NODES_MAX   200000        /* keys and values; those behind an alias count each time */
#define YAML_SCALAR_MAX  (1024 * 1024) /* bytes of one key or value: a file's content is one */
#define YAML_ANCHORS_MAX 1000
#define YAML_MERGE_MAX   1000 /* keys that one map may take in by '<<' */

/* A node that aliases may name. */
struct yaml_anchor {
	const char *name;
	struct doc *node;
	size_t nodes;    /* keys and values in it, itself included */
	unsigned height; /* maps and lists inside each other, itself included */
	bool open;       /* not closed yet */
};

/* The tree so far: open maps and lists, outermost first. Neither this nor libyaml recurses. */
struct yaml_build {
	const char *file;
	struct arena *arena;
	struct err *err;
	struct doc *root;
	bool foreign; /* anchors, aliases, merge keys and the core schema's tags are understood */
	size_t nodes;
	unsigned depth;
	struct yaml_frame {
		struct doc *node;
		struct doc *key; /* of a map: read, waiting for its value */
		size_t nodes;    /* of the document, before this one */
		unsigned height; /* of what is in it so far */
		size_t anchor;   /* its number + 1; 0: none */
	} stack[YAML_DEPTH_MAX];
	size_t n_anchors;
	struct yaml_anchor *anchors;
};

/* A node without content at that place, for doc_err(). */
static inline struct doc yaml_place(const struct yaml_build *b, const yaml_mark_t *mark)
{
	return (struct doc){
	        .file = b->file,
	        .line = (unsigned)mark->line + 1,
	        .col = (unsigned)mark->column + 1,
	};
}

/* Remembers `node` by its anchor's name; *ret is its number + 1. */
int yaml_anchor_add(struct yaml_build *b, const char *name, struct doc *node, size_t *ret);
/* The anchored node, after checking that the document has room for another copy of its content. */
int yaml_alias_find(struct yaml_build *b, const yaml_event_t *ev, const struct yaml_anchor **ret);
/* Replaces the key '<<' of a closed map by those keys of its value that the map doesn't have. */
int yaml_merge(struct yaml_build *b, struct doc *map);
