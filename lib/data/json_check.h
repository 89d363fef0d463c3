/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict checker that runs before cJSON: exactly RFC 8259, bounded, without recursion. It
 * records a mark for every value and every key in the order of the text; json.c combines them with
 * cJSON's tree, which keeps neither places nor the digits of a number.
 */
#pragma once

#include "data/text.h"

struct json_marks {
	size_t n;
	struct json_mark {
		unsigned line, col;
		size_t offset, len; /* of the token; for a map or list, of its bracket */
	} * items;
};

int json_check(const char *file, struct blob text, struct arena *a, struct json_marks *ret,
               struct err *e) ATTR_MUST_USE;
