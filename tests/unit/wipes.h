/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts how often memory that holds a known secret is wiped: every explicit_bzero(3) of this
 * program goes through here. Include it in one file of a test only.
 */
#pragma once

#include <stddef.h>
#include <string.h>

static struct {
	const char *secret; /* what to look for; NULL: nothing */
	int seen;           /* wipes of memory that held it */
} wipes;

static inline void wipes_of(const char *secret)
{
	wipes.secret = secret;
	wipes.seen = 0;
}

/* glibc declares that explicit_bzero() doesn't read the memory, so what looks at it is not inlined. */
#ifdef __clang__
#define WIPES_APART __attribute__((noinline))
#else
#define WIPES_APART __attribute__((noinline, noclone))
#endif
void wipes_look(char *memory, size_t len);

WIPES_APART void wipes_look(char *memory, size_t len)
{
	if (wipes.secret && memmem(memory, len, wipes.secret, strlen(wipes.secret)))
		wipes.seen++;
}

void explicit_bzero(void *memory, size_t len)
{
	wipes_look(memory, len);
	memset(memory, 0, len);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

/* What it is called as where the fortified headers are in use. */
void __explicit_bzero_chk(void *memory, size_t len, size_t room);
void __explicit_bzero_chk(void *memory, size_t len, size_t room)
{
	assert_true(len <= room);
	wipes_look(memory, len);
	memset(memory, 0, len);
	__asm__ volatile("" : : "r"(memory) : "memory");
}
