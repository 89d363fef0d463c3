/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system, written and read through libext2fs: no loop device, no mount, no root
 * needed for that. What is in the file afterwards is a function of the spec and of the layers laid,
 * in their order: names are taken sorted, inodes and blocks first fit, times clamped, and a block
 * that becomes free becomes zero, so that nothing removed is left to be read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "host/host.h"

struct ext4_spec {
	const char *file; /* the disk's raw file, large enough */
	uint64_t offset;  /* bytes before the file system */
	uint64_t size;    /* its bytes, a multiple of 4096 */
	const char *uuid, *hash_seed, *label;
	/* Seconds since 1970, [0, INT32_MAX]: what was changed later than that is dated so, and all
	 * creation, change and access times are this or the modification time. */
	int64_t epoch;
};

/* Makes it, empty, by mke2fs; `tools` is the machine. */
int ext4_make(struct host *tools, const struct ext4_spec *s, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;

/* What a tree takes of a file system: of its blocks, without the file system's own, and inodes. */
struct ext4_need {
	uint64_t bytes, inodes;
};

/* Adds up what the tree (a directory's descriptor, left open) needs. */
int ext4_measure(int tree, struct ext4_need *ret, struct err *e) ATTR_MUST_USE;

/* What is free, of what ext4_make or ext4_lay left. */
int ext4_space(const struct ext4_spec *s, struct ext4_need *ret, struct err *e) ATTR_MUST_USE;

/*
 * Lays the tree over what is there as overlayfs would show it: a 0/0 character device removes the
 * name, the overlay.opaque attribute removes what was in the directory, directories merge, anything
 * else replaces. Sizes, owners, modes, hard links, devices, xattrs and ACLs come along;
 * /lost+found doesn't. When it fails the file is to be thrown away. ENOSPC: it doesn't fit.
 */
int ext4_lay(const struct ext4_spec *s, int tree, struct err *e) ATTR_MUST_USE;

/*
 * The way back: everything in the file system that lies `offset` bytes into the file, into the
 * directory `tree`, which is empty, with owners, modes, times, xattrs, hard links and holes; but
 * /lost+found, and xattrs of overlayfs. With `base` devices that aren't character devices of /dev
 * are refused. It must be sound (e2fsck); of a damaged one what is read is refused as
 * ERR_INTEGRITY, and never anything written outside of the tree. More than `ceiling` bytes are
 * ERR_INPUT. Needs root.
 */
int ext4_unpack(const char *file, uint64_t offset, int tree, uint64_t ceiling, bool base,
                struct err *e) ATTR_MUST_USE;
