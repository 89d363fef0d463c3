/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way a path of a host is walked for changing something; not for other floors.
 *
 * Root's work must not be led elsewhere by who may write a directory on the way. A symbolic link is
 * followed only if it and the directory it lies in belong to root (or to who we are, or to whom the
 * root directory belongs); else the walk ends with -ELOOP. No magic link is followed, and nothing
 * leads out of the root. Each step goes by the descriptor of the one before.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Opens the path, absolute and tidy, below the root directory. A link at its end is followed by the
 * same rule, unless O_NOFOLLOW is among the flags. -errno. */
int walk_open(int root, const char *path, int flags);

/* As that, for who then has to go by the path's text: also -ELOOP where a user could put something
 * else in the place of a directory on the way, or of the last one. */
int walk_open_fixed(int root, const char *path, int flags);

/* As err_errno(e, no, "DOING 'PATH'"), and says what -ELOOP means here. */
int walk_failed(struct err *e, int no, const char *doing, const char *path);
