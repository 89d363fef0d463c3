/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts; only mountinfo decides whether something is mounted. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct host;

struct host_mount {
	/* "10.0.0.1:/home", "/home", "nfs4". A bind mount has type "bind", or option bind. */
	const char *source, *target, *fstype;
	const char *options; /* comma separated, or NULL */
	/* Of this one try: a server that drops packets uses all of it, so leave time for another
	 * try. */
	uint64_t deadline;
};

/*
 * Mounts with libmount in a killable child, keeps the helper's stderr, and classifies its failure.
 * Success means that mountinfo shows the mount and that the file system answers. Creates the mount
 * point. `retry=0` is added for NFS: retrying is up to the caller (ERR_RETRY: server down or
 * stuck). If the same thing is already mounted, even under another name of the server, that is
 * success and records nothing; something else is REASON_MOUNT_BUSY. At the deadline an NFS server
 * that accepts no connection is REASON_MOUNT_SERVER_DOWN; anything else, including a mount that no
 * longer answers, is REASON_MOUNT_HUNG. The call may take until 5 s past the deadline, to end the
 * helper and to check the mount.
 */
int host_mount(struct host *h, const struct host_mount *m, struct arena *a,
               struct err *e) ATTR_MUST_USE;
/* 1: exactly that is mounted and answers; 0: nothing or something else is; <0: error, as above. */
int host_mount_holds(struct host *h, const struct host_mount *m, struct arena *a,
                     struct err *e) ATTR_MUST_USE;
