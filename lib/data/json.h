/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) text to a document. A strict pre-check runs before cJSON sees a byte: UTF-8, no
 * NUL (also as \u0000), no lone surrogate, no trailing text, bounded depth and size. Keys that
 * repeat are refused, by their value: "a" and "\u0061" are one key. Numbers stay the text they
 * were; `true` and `false` are scalars without quotes, `null` is DOC_NULL.
 */
#pragma once

#include "data/doc.h"

#define JSON_SIZE_MAX   (1024 * 1024) /* bytes of text */
#define JSON_NUMBER_MAX 63            /* characters of a number; cJSON reads no longer ones */

/* `file` is what messages call the text and must live as long as the document. */
int json_parse(const char *file, struct blob text, struct arena *a, struct doc **ret,
               struct err *e) ATTR_MUST_USE;
