/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a document to a typed struct, by table.
 *
 *     static const struct field fields[] = {
 *             {"path", FIELD_STRING, FIELD_AT(struct file_spec, path), .required = true, .help =
 * "..."},
 *             {"mode", FIELD_MODE, FIELD_AT(struct file_spec, mode), .help = "..."},
 *             {0},
 *     };
 *
 * The output starts as the caller left it, so defaults are set before the call. A key that is not
 * in the table is an error that names the nearest key that is. Messages say what was expected.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "data/doc.h"
#include "data/faults.h"
#include "data/vars.h"

enum field_type {
	FIELD_STRING,   /* const char * */
	FIELD_BOOL,     /* bool */
	FIELD_INT,      /* int64_t */
	FIELD_NUMBER,   /* double */
	FIELD_DURATION, /* uint64_t ms: "300s", "10m" */
	FIELD_SIZE,     /* uint64_t bytes: "10M" */
	FIELD_MODE,     /* unsigned: octal permission bits */
	FIELD_CHOICE,   /* int: index into choices */
	FIELD_STRINGS,  /* struct field_strings: a list of scalars, or one scalar */
	FIELD_PAIRS,    /* struct field_pairs: a map of scalars */
	FIELD_MAP,      /* nested struct, decoded by `sub` in place */
	FIELD_LIST,     /* struct field_list of structs, each decoded by `sub` */
	FIELD_DOC,      /* const struct doc *: the node itself, for a separate reader */
	FIELD_ANY,      /* a known key whose value is not looked at */
};

struct field_strings {
	size_t n;
	const char **items;
};
struct field_pairs {
	size_t n;
	struct field_pair {
		const char *name, *value;
		const struct doc *at;
	} * items;
};
struct field_list {
	size_t n;
	void *items; /* n structs of field.size */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset; /* FIELD_AT */
	bool required;
	int64_t min, max; /* both 0: any; max 0 and min above it: no upper limit. Of the value
	                     of an INT, DURATION (ms) or SIZE, the bytes of a STRING, the
	                     entries of STRINGS, PAIRS and LIST */
	const char *const *choices; /* FIELD_CHOICE: NULL-terminated */
	const struct field *sub;    /* FIELD_MAP, FIELD_LIST */
	size_t size;                /* FIELD_LIST: of one element; FIELD_MAP: unused */
	const void *defaults;       /* FIELD_LIST: what an element starts as; NULL: zero */
	const char *help;           /* one line; `hpc-agent explain KIND` prints it */
};

#define FIELD_AT(type, member) offsetof(type, member)

/*
 * Decodes a map by its table (ends at name NULL); the first fault in the order of the text is the
 * error, missing keys come last. `v` NULL: `${` is literal, as in a foreign document (doc.h).
 * Strings go to `a`. A key whose value is null counts as absent: its member stays as it is, and if
 * the key is required it is missing. On failure *out is unchanged.
 */
int field_decode(const struct doc *map, const struct field *fields, const struct vars *v,
                 struct arena *a, void *out, struct err *e) ATTR_MUST_USE;

/* The same, but looks for every fault (faults.h; NULL: only the first). */
int field_decode_all(const struct doc *map, const struct field *fields, const struct vars *v,
                     struct faults *faults, struct arena *a, void *out,
                     struct err *e) ATTR_MUST_USE;

/*
 * Decodes one value by one row, for sections that are not maps, into out + row->offset. Null is an
 * empty map, list or pairs here, and an error where a scalar is read.
 */
int field_decode_value(const struct doc *value, const struct field *row, const struct vars *v,
                       struct arena *a, void *out, struct err *e) ATTR_MUST_USE;
int field_decode_value_all(const struct doc *value, const struct field *row, const struct vars *v,
                           struct faults *faults, struct arena *a, void *out,
                           struct err *e) ATTR_MUST_USE;

/* "string", "duration (e.g. 300s)", "one of a, b", with the limits; for `explain`. */
void field_describe(const struct field *row, struct strbuf *out);
/* The same with its article, for messages: "a string". */
void field_expected(const struct field *row, struct strbuf *out);
