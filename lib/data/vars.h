/* SPDX-License-Identifier: Apache-2.0 */
/* Facts by name, and `${name}` in scalars. No defaults, no nesting; `$$` is a dollar sign. */
#pragma once

#include "data/doc.h"

struct vars {
	struct arena *arena;
	size_t n;
	struct var {
		const char *name, *value;
		const char *
		        source; /* "imds", "user-data", "command line", ... for `hpc-agent facts` */
	} * items;
};

/* Sets or replaces; copies all three. Names are [a-z0-9.-]+. */
void vars_set(struct vars *v, const char *name, const char *value, const char *source);
void vars_unset(struct vars *v, const char *name);
const char *vars_get(const struct vars *v, const char *name); /* NULL when unknown */

/* A copy of the scalar's text with facts substituted; an unknown fact is ERR_INPUT at the scalar's
 * place. */
int vars_expand(const struct vars *v, const struct doc *scalar, struct arena *a, const char **ret,
                struct err *e) ATTR_MUST_USE;
