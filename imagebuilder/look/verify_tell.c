/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and reports the result of a check as one line. */
#include <stdarg.h>

#include "look/verify_own.h"

void verify_tell(struct verify *v, const char *check, enum verify_state state, const char *what,
                 ...)
{
	va_list ap;

	va_start(ap, what);
	const char *text = arena_vprintf(v->arena, what, ap);
	va_end(ap);
	v->faults += state == VERIFY_FAULT;
	v->tell(v->ctx, check, state, text);
}
