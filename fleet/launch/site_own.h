/* SPDX-License-Identifier: Apache-2.0 */
/* Private to site*.c. */
#pragma once

#include "launch/site.h"

/* What the tables can't tell of a resource; reads its nodes. */
int site_check(const struct site *s, struct site_resource *r, struct arena *a,
               struct err *e) ATTR_MUST_USE;
