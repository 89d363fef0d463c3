/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, believed only when mountinfo shows them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct host;

struct host_mount {
	/* "10.0.0.1:/home", "/home", "nfs4". A bind mount has type "bind", or option bind. */
	const char *source, *target, *fstype;
	const char *options; /* comma separated, or NULL */
	/* Of this one try: a server that drops packets holds it to the end, so leave time for
	 * another. */
	uint64_t deadline;
};

/* What /proc/self/mountinfo says is mounted exactly at target, last one first; n = 0: nothing. */
struct host_mounted {
	size_t n;
	struct host_mounted_fs {
		const char *source, *fstype, *options; /* options: vfs and fs options joined */
		const char *root; /* the part of the file system that is seen: "/" but for binds */
		dev_t dev;
	} * items;
};
int host_mounted(struct host *h, const char *target, struct arena *a, struct host_mounted *ret,
                 struct err *e) ATTR_MUST_USE;
/*
 * Mounts by libmount in a killable child, keeps the helper's stderr, classifies its failure, and
 * believes only mountinfo afterwards; then the file system must answer. Creates the mount point.
 * `retry=0` is added for NFS: trying again is the caller's (ERR_RETRY: server down or stuck). The
 * same thing mounted already, by another name of the server too, is success and records nothing;
 * something else is REASON_MOUNT_BUSY. At the deadline an NFS server that takes no connection is
 * REASON_MOUNT_SERVER_DOWN; anything else, and what is mounted but answers no longer, is
 * REASON_MOUNT_HUNG. The whole may take 5 s past the deadline, to end the helper and to ask.
 */
int host_mount(struct host *h, const struct host_mount *m, struct arena *a,
               struct err *e) ATTR_MUST_USE;
/* 1: exactly that is mounted and answers; 0: nothing or something else is; <0: error, as above. */
int host_mount_holds(struct host *h, const struct host_mount *m, struct arena *a,
                     struct err *e) ATTR_MUST_USE;
/* 0: what is at target answers within 10 s. Read-only. */
int host_mount_answers(struct host *h, const char *target, uint64_t deadline,
                       struct err *e) ATTR_MUST_USE;
/* The topmost one; nothing there is fine. */
int host_umount(struct host *h, const char *target, uint64_t deadline, struct err *e) ATTR_MUST_USE;
