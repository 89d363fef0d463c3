/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the compare*.c files. */
#pragma once

#include "base/digest.h"
#include "look/compare.h"

/* Reports it if the two sides differ. */
void compare_tell(struct compare *c, const struct compare_difference *d);
void compare_add(struct compare_difference *d, const char *what, const char *from, const char *to);

/* A size with a digest, as text. */
const char *compare_content(struct arena *a, uint64_t size, struct digest *d);
