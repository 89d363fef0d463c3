/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document: the tree that YAML and JSON text become, with the source position of every node.
 *
 * Scalars are text; the field that reads one gives it its type, so the meaning of `no`, `0755` and
 * `1.10` depends on the reader. Map keys are unique and keep the order of the text. All nodes live
 * in the arena given to the parser and are read-only afterwards.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum doc_type { DOC_NULL, DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc {
	enum doc_type type;
	bool quoted;        /* scalar written in quotes or as a block: always a string */
	bool foreign;       /* of another program's document; see doc_mark_foreign() */
	unsigned line, col; /* 1-based; 0 for a node that doesn't come from a text */
	const char *file;   /* as the user named it, for messages */
	const char *text;   /* DOC_SCALAR: terminated, without NUL inside; DOC_NULL: "" */
	size_t n;           /* DOC_LIST, DOC_MAP: number of children */
	struct doc **items; /* DOC_LIST: children; DOC_MAP: values */
	struct doc **keys;  /* DOC_MAP: keys, scalars, same index as items */
};

/*
 * The value at that key of a map, or NULL if it is absent. Null counts as absent: `key:` and `key:
 * ~` mean that the key isn't set. NULL and other types have no keys.
 */
struct doc *doc_get(const struct doc *d, const char *key);
/* Follows keys "A.B.C". */
struct doc *doc_find(const struct doc *d, const char *dotted);
/* Whether the map has that key, even if its value is null. */
bool doc_has(const struct doc *d, const char *key);
/* The path of a file that `at`'s file names: unchanged if absolute, else relative to that file. */
const char *doc_beside(const struct doc *at, const char *path, struct arena *a);
/* The text of the scalar at that key, or NULL. */
const char *doc_text(const struct doc *d, const char *key);

/*
 * Marks all nodes of a document that was written for another program, and what is made with one of
 * them as `at`: its text is literal (`${x}` is not a fact), and its booleans and integers are those
 * of YAML 1.1 as PyYAML and marshmallow take them: `y`, `1`, `0x1F`, `010`, `1_000`.
 */
void doc_mark_foreign(struct doc *d);

/* For parsers: `key` is a scalar that the map doesn't have yet (not checked). */
struct doc *doc_new(struct arena *a, enum doc_type type, const struct doc *at);
void doc_append(struct arena *a, struct doc *map, struct doc *key, struct doc *value);
/* -EINVAL at the first key, in the order of the text, that equals an earlier one. O(n log n). */
int doc_check_keys(const struct doc *map, struct err *e) ATTR_MUST_USE;

/* For translators: `at` is the place that messages point to (may be NULL). */
struct doc *doc_new_map(struct arena *a, const struct doc *at);
struct doc *doc_new_list(struct arena *a, const struct doc *at);
struct doc *doc_new_text(struct arena *a, const struct doc *at, const char *text);
/* Sets or replaces. */
void doc_put(struct arena *a, struct doc *map, const char *key, struct doc *value);
void doc_put_text(struct arena *a, struct doc *map, const char *key, const char *text);
void doc_push(struct arena *a, struct doc *list, struct doc *value);

/* "file:line:col: " + message; kind ERR_INPUT, errno EINVAL. Returns -EINVAL. */
int doc_err(const struct doc *at, struct err *e, enum reason reason, const char *fmt, ...)
        ATTR_PRINTF(4, 5) ATTR_COLD;
int doc_verr(const struct doc *at, struct err *e, enum reason reason, const char *fmt, va_list ap)
        ATTR_PRINTF(4, 0) ATTR_COLD;

/* "map", "list", "string", "nothing" for messages. */
const char *doc_type_name(const struct doc *d);

/* The document as canonical JSON (keys in their order), for golden files and digests. */
void doc_json(const struct doc *d, struct strbuf *out);
