/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of a stack came to, told at its end. */
#pragma once

#include "change/follow.h"
#include "state/state.h"

#define OUTCOME_PAUSE_MS 5000 /* between two looks, unless --interval says otherwise */

/* What a change may take, unless --deadline says otherwise: sets the program's deadline. */
uint64_t outcome_deadline(struct life *l);
uint64_t outcome_pause(const struct life *l);

/* The cluster as it is now: its head, and what to do next. */
int outcome_made(struct life *l, struct feed *f, const char *id, struct err *e) ATTR_MUST_USE;

/* Follows a change of the stack `id`. One that failed is ERR_DENIED, with the cause. `token`:
 * of the change, or NULL where it has begun. */
int outcome_follow(struct life *l, struct feed *f, const char *id, const char *token,
                   struct err *e) ATTR_MUST_USE;
