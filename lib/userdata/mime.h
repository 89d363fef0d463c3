/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Just enough of MIME to find one part in user data: header fields (RFC 5322, folded or not, names
 * in any case), Content-Type with its boundary, Content-Transfer-Encoding, and the parts of a
 * multipart (RFC 2046). Lines end with LF or CRLF. Nothing is copied but the boundary.
 */
#pragma once

#include "base/str.h"

#define MIME_BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */

struct mime_entity {
	struct blob type;                     /* as written; empty when there is none */
	struct blob encoding;                 /* as written; empty when there is none */
	char boundary[MIME_BOUNDARY_MAX + 1]; /* empty: none, or too long to be one */
	struct blob body;
};

/* Splits header fields from the body; false when `text` doesn't begin with either. */
bool mime_read(struct blob text, struct mime_entity *ret);

/* Both in any case: mime_is(m.type, "text/plain"), mime_starts(m.type, "multipart/"). */
bool mime_is(struct blob token, const char *word);
bool mime_starts(struct blob token, const char *prefix);

/* Walks the parts of a body: {.rest = m.body, .boundary = m.boundary}. */
struct mime_parts {
	struct blob rest;
	const char *boundary;
	bool started;
};

/*
 * The next part, header fields and all, without the line break before the delimiter. False after
 * the last. *ret_closed is false when the text ends before the part does.
 */
bool mime_next(struct mime_parts *p, struct blob *ret, bool *ret_closed);
