/* SPDX-License-Identifier: Apache-2.0 */
/* Private to site*.c. */
#pragma once

#include "launch/site.h"

/* What the tables can't tell of a resource; reads its nodes. */
int site_check_type(const struct site_type *t, const struct doc *at, struct err *e) ATTR_MUST_USE;
int site_check_queue(const struct site *s, const struct site_queue *q, struct err *e) ATTR_MUST_USE;
int site_check(const struct site *s, struct site_resource *r, struct arena *a,
               struct err *e) ATTR_MUST_USE;
