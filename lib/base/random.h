/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that nobody can foretell: getrandom(2). */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* Fills `out`; 0, or -errno: then nothing in it may be used. */
int random_bytes(void *out, size_t n) ATTR_MUST_USE;
