/* SPDX-License-Identifier: Apache-2.0 */
/* What Slurm's programs list: squeue and sinfo, all of it or nothing. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define LISTING_MAX (64U << 20) /* bytes; 200,000 nodes with their reasons are less */

/* Runs `argv`, NULL at its end, for at most 20 seconds. *ret: its lines, each with its '\n'. A list that is longer
 * fails: what is cut in the middle of a number names another job. */
int listing_read(const char *const *argv, struct arena *a, const char **ret,
                 struct err *e) ATTR_MUST_USE;
