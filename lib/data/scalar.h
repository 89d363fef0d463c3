/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a scalar, by the rules of its document: ours by base/str.h; a foreign one
 * (doc_mark_foreign()) by YAML 1.1 as PyYAML resolves it (a quoted scalar stays a string), and in
 * both forms by what marshmallow accepts as a boolean. It also takes a float like 10.0 for an integer.
 *
 * 0, -EINVAL (not one) or -ERANGE (outside [min, max]); *ret is then untouched.
 */
#pragma once

#include "data/doc.h"

int scalar_bool(const struct doc *d, bool *ret);
int scalar_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret);

/* Whether the value at that path below `d` (doc_find()) is a true one; false where there is none. */
bool scalar_on(const struct doc *d, const char *dotted);
