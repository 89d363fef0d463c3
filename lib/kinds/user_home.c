/* SPDX-License-Identifier: Apache-2.0 */
/* Looks whether all of a new home is its owner's, before it appears under its name. */
#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/scope.h"
#include "kinds/user_own.h"
#include "os/tree.h"

struct home {
	const char *path;
	struct host_user user;
};

static int is_owned(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct home *h = ctx;

	if (at->st->st_uid == h->user.uid && at->st->st_gid == h->user.gid)
		return TREE_GO;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EIO, "making '%s': '%s' is still %u:%u's",
	               h->path, at->path, (unsigned)at->st->st_uid, (unsigned)at->st->st_gid);
}

int user_home_check(const struct step_ctx *c, const char *name, const char *path, struct err *e)
{
	struct home h = {.path = path};
	struct tree_walk walk = {.visit = is_owned, .ctx = &h};
	int r = host_user(c->host, name, c->arena, &h.user, e);

	if (r < 0)
		return r;
	scope_fd int dir = file_open(host_root_fd(c->host), path, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return err_errno(e, -dir, "making '%s'", path);
	return tree_walk(dir, &walk, e);
}
