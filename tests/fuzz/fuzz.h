/* SPDX-License-Identifier: Apache-2.0 */
/* What every fuzz target includes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"

/* One input; returns 0. A broken promise ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() that no build type removes. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What a call that returned `r` promises about its error: filled exactly when it failed, the
 * input's fault, and one line of text. */
static inline void fuzz_check_err(int r, const struct err *e)
{
	if (r >= 0) {
		FUZZ_CHECK(e->kind == ERR_NONE);
		return;
	}
	FUZZ_CHECK(e->no == -r && e->kind == ERR_INPUT && e->reason != REASON_NONE);
	FUZZ_CHECK(*e->text && !strchr(e->text, '\n'));
	FUZZ_CHECK(str_utf8_valid((struct blob){e->text, strlen(e->text)}, &(size_t){0}));
}
