/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for one stage of work: taken piece by piece, given back all at once.
 *
 * Allocation does not fail: when the system has no memory the process aborts, since every input has
 * a ceiling that keeps our use small. Nothing in an arena is freed alone. Secrets don't go in:
 * secret.h.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

struct arena; /* opaque */

struct arena *arena_new(void) ATTR_MUST_USE;

/* Gives everything back. NULL is fine. */
void arena_close(struct arena *a);
/* The same, overwriting it first: for the document that a secret came in. */
void arena_close_wiped(struct arena *a);

/* `size` zeroed bytes, aligned for any object. Size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size) ATTR_MALLOC;

/* `n` zeroed elements of `size`; aborts when the product overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) ATTR_MALLOC;

/* Copies; the result is terminated by a NUL that is not counted in `len`. */
char *arena_memdup(struct arena *a, const void *data, size_t len) ATTR_MALLOC;
char *arena_strdup(struct arena *a, const char *s) ATTR_MALLOC;
char *arena_printf(struct arena *a, const char *fmt, ...) ATTR_PRINTF(2, 3) ATTR_MALLOC;
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) ATTR_PRINTF(2, 0) ATTR_MALLOC;

/*
 * Makes room for one more zeroed element of a list and counts it; `items` may be NULL while *n is
 * 0. Growth doubles; the outgrown array stays in the arena. list = arena_grow(a, list, &n, sizeof
 * *list); list[n - 1].name = ...;
 */
void *arena_grow(struct arena *a, void *items, size_t *n, size_t size) ATTR_MALLOC;

static inline void arena_closep(struct arena **a)
{
	arena_close(*a);
	*a = 0;
}
#define scope_arena __attribute__((cleanup(arena_closep)))
