/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reader that stands before cJSON: RFC 8259 to the letter, bounded, without recursion.
 * It leaves a mark for every value and every key in the order of the text; json.c joins them with
 * cJSON's tree, which knows neither places nor the digits of a number.
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
