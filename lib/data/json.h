/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) text to a document. A strict pre-check runs before cJSON sees a byte: UTF-8, no
 * NUL (also as \u0000), no duplicate key, no trailing text, bounded depth and size. Numbers stay
 * text.
 */
#pragma once

#include "data/doc.h"

int json_parse(const char *file, struct blob text, struct arena *a, struct doc **ret,
               struct err *e) ATTR_MUST_USE;
