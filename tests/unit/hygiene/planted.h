/* SPDX-License-Identifier: Apache-2.0 */
/* What must be found in an image, by which rule; and what looks like it and must not be. */
#pragma once

#include "image.h"

struct planted {
	const char *rule, *path; /* the path without its first slash; NULL ends a list */
	const char *text;        /* NULL: "x" */
	size_t len;              /* of bytes that are no text */
	const char *link;        /* a link's target instead */
	unsigned mode;           /* 0: 0644 */
	bool capable;            /* it has a capability */
	const char *found;       /* the path that is told, when it is another */
	bool by_content;         /* and so not cleaned, though the rule cleans by path */
};

extern const struct planted planted[], harmless[];

void planted_put(struct image *t, const struct planted *p);
/* What the rule of that name has for a remedy. */
const char *planted_remedy(const struct planted *p);
