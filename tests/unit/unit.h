/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with the headers it forgets, and two checks on `struct
 * err`. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* The call returned 0; if not, its message is what the test log shows. */
#define assert_ok(expr)                                                                            \
	do {                                                                                       \
		if ((expr) < 0)                                                                    \
			fail_msg("%s: %s", #expr, e.text);                                         \
	} while (0)

/* The call failed with this kind and its message contains `part`. Uses the local `struct err e`. */
#define assert_err(expr, want_kind, part)                                                          \
	do {                                                                                       \
		memset(&e, 0, sizeof e);                                                           \
		assert_true((expr) < 0);                                                           \
		if (e.kind != (want_kind))                                                         \
			fail_msg("kind %d, wanted %d: %s", (int)e.kind, (int)(want_kind), e.text); \
		if (!strstr(e.text, (part)))                                                       \
			fail_msg("'%s' lacks '%s'", e.text, (part));                               \
	} while (0)
