/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a path of a host is resolved before a change; for this floor and machine.
 *
 * Root's work must not be redirected by a user who may write to a directory on the way. A symbolic
 * link is followed only if it and the directory it is in belong to root (or to our user, or to the
 * owner of the root directory); else the walk ends with -ELOOP. No magic link is followed, and
 * nothing leads out of the root. Each step uses the descriptor of the previous one.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Opens the path, absolute and normalised, below the root directory. A link at its end is followed
 * by the same rule, unless O_NOFOLLOW is among the flags. -errno. */
int walk_open(int root, const char *path, int flags);

/* The same, for callers that then have to use the path's text: also -ELOOP if a user could replace
 * a directory on the way, or the last one. */
int walk_open_fixed(int root, const char *path, int flags);

/* The same for a directory: also -ELOOP if a user could put something into it. */
int walk_open_closed(int root, const char *path);

/* As err_errno(e, no, "DOING 'PATH'"), and explains what -ELOOP means here. */
int walk_failed(struct err *e, int no, const char *doing, const char *path);
