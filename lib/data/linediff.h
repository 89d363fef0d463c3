/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one text differs from another, by lines, in the unified form of diff(1): "@@ -1,3 +1,4 @@",
 * then lines that begin with ' ', '-' or '+', with 3 lines around each change, and "\ No newline at
 * end of file" where that is so. Where the texts share little, all between their common beginning
 * and end counts as replaced: a long but right answer.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

#define LINEDIFF_LINES_MAX 4000 /* of each text */

/* Each line without its newline, in the arena. -1: a text has more lines than that. */
int linediff(struct blob from, struct blob to, struct arena *a,
             void (*emit)(void *ctx, const char *line), void *ctx) ATTR_MUST_USE;
