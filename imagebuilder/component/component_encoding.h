/* SPDX-License-Identifier: Apache-2.0 */
/* The encodings that components name for files: UTF-8, UTF-16 and UTF-32. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct component_encoding {
	unsigned unit; /* bytes: 1, 2, 4 */
	bool big;      /* the high byte comes first */
};

/* "utf8", "UTF-16", "utf-16-LE", "utf32BE": upper or lower case, with and without dashes;
 * little-endian by default. False: unknown. */
bool component_encoding_find(const char *name, struct component_encoding *ret);

/* From UTF-8, without a byte order mark; ERR_HOST if the text isn't UTF-8. */
int component_encode(struct blob utf8, struct component_encoding to, struct arena *a,
                     struct blob *ret, struct err *e) ATTR_MUST_USE;
/* To UTF-8, dropping a byte order mark; NUL-terminated. */
int component_decode(struct blob text, struct component_encoding from, struct arena *a,
                     struct blob *ret, struct err *e) ATTR_MUST_USE;
