/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lock_apt.c: making apt keep what a lock has. */
#pragma once

#include "lock/apt_state.h"
#include "lock/lock_apt.h"

struct lock_keeping;

/* Pins the packages of k->was but those to update; what the sources of `now` lack is brought first. */
int lock_keep_begin(const struct lock_keep *k, const struct apt_state *t, const struct lock *now,
                    struct lock_keeping **ret, struct err *e) ATTR_MUST_USE;

/* Asks; while apt refuses because packages need others than they are pinned, those are let go. */
int lock_keep_ask(struct lock_keeping *k, const struct apt_state *t, const char *const *argv,
                  struct blob *ret, struct err *e) ATTR_MUST_USE;

/*
 * Puts the lock's rows in the place of those that are the same package in the same version: of what
 * is kept, and of what was let go but is only to be had as it was brought. Others stay as the
 * sources have them, which may be another content of the same version.
 */
void lock_keep_rows(const struct lock_keeping *k, struct lock *now);
