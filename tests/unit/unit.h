/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with the headers it forgets, and two checks on `struct
 * err`. */
#pragma once
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

/* Whether this is the machine's root, not that of a user namespace. */
static inline bool unit_is_root(void)
{
	char map[64] = "";
	FILE *f = fopen("/proc/self/uid_map", "re");

	if (f) {
		map[fread(map, 1, sizeof map - 1, f)] = '\0';
		fclose(f);
	}
	return geteuid() == 0 && strstr(map, " 4294967295\n");
}

/* For what only the machine's root can do; a user's run skips it. Nothing else is ever skipped. */
#define unit_need_root()                                                                           \
	do {                                                                                       \
		if (!unit_is_root())                                                               \
			skip();                                                                    \
	} while (0)

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

/* What a program that is run must not get. */
#define assert_cloexec(fd) assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC)
