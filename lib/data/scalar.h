/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a scalar, by the rules of its document: ours by base/str.h; a foreign one
 * (doc_mark_foreign()) by YAML 1.1 as PyYAML resolves it (a quoted scalar stays a string), then by
 * what marshmallow makes of it: its words for a boolean; for an integer also a float, without what is
 * behind the point, and a text that Python's int() takes; for a number one that float() takes, but
 * neither infinity nor nan.
 *
 * 0, -EINVAL (not one) or -ERANGE (outside [min, max]); *ret is then untouched.
 */
#pragma once

#include "data/doc.h"

int scalar_bool(const struct doc *d, bool *ret);
int scalar_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret);
/* One with a fraction, of a document of ours as of a foreign one. */
int scalar_number(const struct doc *d, double *ret);

/*
 * Whether a scalar is a text: always in a document of ours. A foreign one without quotes isn't where
 * PyYAML resolves it to a boolean, a number or a time, which marshmallow's strings refuse. What it is
 * instead is told for messages, "the number"; NULL for a text.
 */
const char *scalar_no_text(const struct doc *d);

/* Whether the value at that path below `d` (doc_find()) is a true one; false where there is none. */
bool scalar_on(const struct doc *d, const char *dotted);
