/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the search share: all that is found, as text. */
#pragma once

#include "unit.h"

#include "hygiene/hygiene.h"
#include "image.h"

/* A line each: rule and path. */
static inline const char *found_in(struct image *t, const struct hygiene_intent *allow)
{
	struct hygiene_findings f;
	struct strbuf out = STRBUF(t->a, 1 << 20);
	struct err e;

	assert_ok(hygiene_look(t->fd, allow, t->a, &f, &e));
	for (size_t i = 0; i < f.n; i++)
		strbuf_printf(&out, "%s%s %s", i ? "\n" : "", f.items[i].rule->name,
		              f.items[i].path);
	return out.data ? out.data : "";
}
