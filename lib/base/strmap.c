/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of strings, with open addressing, at most half full. */
#include "base/strmap.h"

#include <string.h>

#define AT_FIRST 16 /* slots; a power of two */

struct strmap_slot {
	const char *key; /* NULL: free */
	void *value;
};

/* FNV-1a, 64 bits. */
static size_t hash(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return (size_t)(h ^ (h >> 32));
}

/* The slot that has the key, or may have it. */
static struct strmap_slot *slot_of(struct strmap_slot *slots, size_t cap, const char *key)
{
	size_t i = hash(key) & (cap - 1);

	while (slots[i].key && strcmp(slots[i].key, key) != 0)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static void grow(struct strmap *m)
{
	size_t cap = m->cap ? 2 * m->cap : AT_FIRST;
	struct strmap_slot *slots = arena_array(m->arena, cap, sizeof *slots);

	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key)
			*slot_of(slots, cap, m->slots[i].key) = m->slots[i];
	m->slots = slots;
	m->cap = cap;
}

void strmap_put(struct strmap *m, const char *key, void *value)
{
	if (2 * (m->n + 1) > m->cap)
		grow(m);
	struct strmap_slot *slot = slot_of(m->slots, m->cap, key);
	m->n += !slot->key;
	*slot = (struct strmap_slot){slot->key ? slot->key : key, value};
}

void *strmap_get(const struct strmap *m, const char *key)
{
	return m->cap ? slot_of(m->slots, m->cap, key)->value : NULL;
}

void strmap_add_all(struct strmap *m, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strmap_put(m, keys[i], m->arena);
}
