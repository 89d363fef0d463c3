/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of recipes share. */
#pragma once

#include "scratch.h"

/* Text that begins with a brace is JSON to a recipe's reader. */
static inline void put_yaml(const char *name, const char *text)
{
	put(name, arena_printf(arena, "--- %s", text));
}
