/* SPDX-License-Identifier: Apache-2.0 */
/* What a build fetches for components before it enters the sandbox, which has no network. */
#pragma once

#include "component/component.h"

struct component_fetch {
	const char *uri;    /* one address, or many: s3_is_many() */
	const char *sha256; /* 64 hex digits, or NULL: the document has none */
	const char *owner;  /* the account that the bucket must belong to, or NULL */
	bool plain;         /* http:// is meant, not a slip */
	bool found;         /* one of many, which no document names */
	const struct doc *at;
	int fd; /* of the content once it is fetched; else -1 */
};
struct component_fetches {
	size_t n;
	struct component_fetch *items; /* each address once, in the order of the steps */
};

/* Adds the downloads of these phases to the list. An address that is only known when the step runs,
 * or one with two checksums, is ERR_INPUT at its place. */
int component_fetches(const struct component_list *l, unsigned phases, struct arena *a,
                      struct component_fetches *ret, struct err *e) ATTR_MUST_USE;

/* Adds one; `sum` may be NULL. An address with two digests is ERR_INPUT at the
 * second one's place. */
int component_fetches_add(struct component_fetches *l, const char *uri, const char *sum,
                          const struct doc *at, struct arena *a, struct err *e) ATTR_MUST_USE;
/* NULL: it isn't in the list. */
struct component_fetch *component_fetches_find(const struct component_fetches *l, const char *uri);
