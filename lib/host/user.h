/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of a host's root. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct host;

struct host_owner {
	const char *user, *group; /* names in the root's passwd/group, or NULL: by number */
	uid_t uid;
	gid_t gid;
};
/* A name that doesn't exist: -ENOENT, REASON_HOST_USER. */
int host_owner_ids(struct host *h, const struct host_owner *o, uid_t *ret_uid, gid_t *ret_gid,
                   struct err *e) ATTR_MUST_USE;

struct host_user {
	const char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* with gid itself, at most 256 */
	size_t n_groups;
};
/* Through NSS for the running machine, else from the root's files. As above for a missing name. */
int host_user(struct host *h, const char *name, struct arena *a, struct host_user *ret,
              struct err *e) ATTR_MUST_USE;
int host_group(struct host *h, const char *name, gid_t *ret, struct err *e) ATTR_MUST_USE;
