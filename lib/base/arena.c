/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (16 * 1024)
#define ALIGNMENT  _Alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct chunk *chunks; /* the first is the one being filled */
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct arena *arena_new(void)
{
	return must(calloc(1, sizeof(struct arena)));
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void arena_close_wiped(struct arena *a)
{
	for (struct chunk *c = a ? a->chunks : NULL; c; c = c->next)
		explicit_bzero(c->data, c->used);
	arena_close(a);
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = must(calloc(1, sizeof *c + size));

	c->size = size;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need;

	if (__builtin_add_overflow(size ? size : 1, ALIGNMENT - 1, &need))
		abort();
	need &= ~(ALIGNMENT - 1);
	if (need > CHUNK_SIZE / 4) { /* a large piece gets a chunk of its own */
		struct chunk *big = chunk_new(need);

		big->used = need;
		if (a->chunks) {
			big->next = a->chunks->next;
			a->chunks->next = big;
		} else {
			a->chunks = big;
		}
		return big->data;
	}
	if (!a->chunks || a->chunks->size - a->chunks->used < need) {
		struct chunk *c = chunk_new(CHUNK_SIZE);

		c->next = a->chunks;
		a->chunks = c;
	}
	void *p = a->chunks->data + a->chunks->used;
	a->chunks->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		abort();
	return arena_alloc(a, bytes);
}

char *arena_memdup(struct arena *a, const void *data, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (len)
		memcpy(p, data, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();

	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_grow(struct arena *a, void *items, size_t *n, size_t size)
{
	/* Capacity is implied: arrays are full at each power of two. */
	if ((*n & (*n - 1)) == 0) {
		void *bigger = arena_array(a, *n ? 2 * *n : 1, size);

		if (*n)
			memcpy(bigger, items, *n * size);
		items = bigger;
	}
	++*n;
	return items;
}
