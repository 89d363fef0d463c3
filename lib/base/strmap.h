/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From strings to pointers, for lists that are too long to be searched. Lives in an arena; nothing is
 * taken out. All zero but the arena is an empty one, and a copy of the struct is the same map as long
 * as nothing is put into either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct strmap_slot;
struct strmap {
	struct arena *arena;
	/* private */
	size_t n, cap;
	struct strmap_slot *slots;
};

/* The key isn't copied and must outlive the map. A key that is there gets the new value, not NULL. */
void strmap_put(struct strmap *m, const char *key, void *value);
/* NULL: it isn't there. */
void *strmap_get(const struct strmap *m, const char *key);

/* As values: numbers below SIZE_MAX. SIZE_MAX: it isn't there. */
static inline void strmap_put_at(struct strmap *m, const char *key, size_t at)
{
	strmap_put(m, key, (void *)(uintptr_t)(at + 1));
}
static inline size_t strmap_at(const struct strmap *m, const char *key)
{
	return (size_t)(uintptr_t)strmap_get(m, key) - 1;
}

/* As a set. */
void strmap_add_all(struct strmap *m, const char *const *keys, size_t n);
static inline bool strmap_has(const struct strmap *m, const char *key)
{
	return strmap_get(m, key) != NULL;
}
