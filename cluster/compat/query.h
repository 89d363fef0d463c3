/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --query: the part of JMESPath that finds things in answers: names, "quoted names", .name, [0], [-1], [*],
 * [], [?name=='text'], [?name!='text'], and | . Functions, multiselects, slices and the other operators
 * are refused. Source: the JMESPath specification.
 */
#pragma once

#include "data/doc.h"

/* What the expression finds; NULL is JMESPath's null. */
int query_search(const char *expression, const struct doc *d, struct arena *a,
                 const struct doc **ret, struct err *e) ATTR_MUST_USE;
