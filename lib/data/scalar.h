/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a scalar, as the document it is of spells such values: ours by base/str.h, a foreign
 * one (doc_mark_foreign()) by YAML 1.1 as PyYAML resolves it, which a quoted scalar escapes, and by
 * what marshmallow takes for a boolean in either.
 *
 * 0, -EINVAL (not one) or -ERANGE (outside [min, max]); *ret is then untouched.
 */
#pragma once

#include "data/doc.h"

int scalar_bool(const struct doc *d, bool *ret);
int scalar_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret);
