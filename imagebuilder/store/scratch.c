/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary directories in a store, held by a lock. */
#include "store/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/scope.h"

#define TRIES_MAX 16

/* A lock shows that a process uses it: process ids don't, if containers share a store. */
static int take_scratch(struct scratch *c)
{
	struct stat here, named;

	if (!mkdtemp(c->path))
		return -errno;
	c->lock = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock < 0 || flock(c->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == ENOENT || errno == EWOULDBLOCK ? -EAGAIN : -errno;
	/* Pruning may have removed it in between. */
	return fstat(c->lock, &here) == 0 && stat(c->path, &named) == 0 &&
	                       here.st_ino == named.st_ino
	               ? 0
	               : -EAGAIN;
}

int scratch_open(const struct store *s, struct scratch *ret, struct err *e)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES_MAX && r == -EAGAIN; i++) {
		scope_close(&ret->lock);
		snprintf(ret->path, sizeof ret->path, "%s/work/scratch.XXXXXX", s->path);
		r = take_scratch(ret);
	}
	if (r < 0) {
		scope_close(&ret->lock);
		return err_errno(e, -r, "making '%s'", ret->path);
	}
	return 0;
}

void scratch_close(struct scratch *c)
{
	if (c->lock >= 0)
		store_remove(c->path);
	scope_close(&c->lock);
}
