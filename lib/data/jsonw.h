/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON piece by piece into a builder: commas and quoting are right, nesting is the
 * caller's.
 *
 *     struct jsonw w = {.out = &out};
 *     jsonw_begin(&w, NULL, '{');
 *     jsonw_u64(&w, "schema", 1);
 *     jsonw_end(&w, '}');
 *
 * `key` is NULL for the outermost value and inside arrays. With `pretty` each value has a line of its
 * own, indented by two blanks a level, for people to read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct jsonw {
	struct strbuf *out;
	bool pretty;
	/* private */
	bool comma; /* the next value follows another one */
	unsigned depth;
};

void jsonw_begin(struct jsonw *w, const char *key, char bracket);    /* '{' or '[' */
void jsonw_end(struct jsonw *w, char bracket);                       /* '}' or ']' */
void jsonw_str(struct jsonw *w, const char *key, const char *value); /* NULL: null */
void jsonw_u64(struct jsonw *w, const char *key, uint64_t value);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
