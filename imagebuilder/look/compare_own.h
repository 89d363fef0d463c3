/* SPDX-License-Identifier: Apache-2.0 */
/* What the compare*.c files share. */
#pragma once

#include "base/digest.h"
#include "look/compare.h"

/* Tells it, when it is one. */
void compare_tell(struct compare *c, const struct compare_difference *d);
void compare_add(struct compare_difference *d, const char *what, const char *from, const char *to);

/* So many bytes with that digest, in words. */
const char *compare_content(struct arena *a, uint64_t size, struct digest *d);
