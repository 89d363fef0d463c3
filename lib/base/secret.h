/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: fixed size, no formatter, wiped. There is deliberately no way to print one. Keep it on
 * the stack of the shortest-lived function that needs it, as `scope_secret struct secret key =
 * {0};`.
 */
#pragma once

#include <stddef.h>
#include <string.h>

#define SECRET_MAX                                                                                 \
	8192 /* a session token is ~1-2 KiB, a munge key rarely more, a secret string 64 KiB     \
	        refused */

struct secret {
	size_t len;
	char data[SECRET_MAX + 1]; /* terminated when filled as text */
};

/* Copies at most SECRET_MAX bytes; -1 when it is longer, and then `s` is empty. */
static inline int secret_set(struct secret *s, const void *data, size_t len)
{
	explicit_bzero(s, sizeof *s);
	if (len > SECRET_MAX)
		return -1;
	memcpy(s->data, data, len);
	s->len = len;
	return 0;
}

static inline void secret_close(struct secret *s)
{
	explicit_bzero(s, sizeof *s);
}
#define scope_secret __attribute__((cleanup(secret_close)))
