/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system, written and read through libext2fs: no loop device, no mount, and writing
 * needs no root. The resulting file is a function of the spec and of the layers written, in their
 * order: names are taken sorted, inodes and blocks first fit, times clamped, and freed blocks
 * zeroed, so that nothing removed can be read.
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
	/* Seconds since 1970, [0, INT32_MAX]: later modification times are set to this, and all
	 * creation, change and access times are this or the modification time. */
	int64_t epoch;
};

/* Makes an empty one with mke2fs; `tools` is the machine. */
int ext4_make(struct host *tools, const struct ext4_spec *s, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;

/* What a tree needs: blocks (without the file system's own) and inodes. */
struct ext4_need {
	uint64_t bytes, inodes;
};

/* Adds up what the tree (a directory's descriptor, left open) needs. */
int ext4_measure(int tree, struct ext4_need *ret, struct err *e) ATTR_MUST_USE;

/* The free space in what ext4_make or ext4_lay left. */
int ext4_space(const struct ext4_spec *s, struct ext4_need *ret, struct err *e) ATTR_MUST_USE;

/*
 * Writes the tree over the existing content as overlayfs would show it: a 0/0 character device
 * removes the name, the overlay.opaque attribute removes the directory's content, directories
 * merge, anything else replaces. Sizes, owners, modes, hard links, devices, xattrs and ACLs are
 * kept; /lost+found is skipped. After a failure the file must be thrown away. ENOSPC: it doesn't
 * fit.
 */
int ext4_lay(const struct ext4_spec *s, int tree, struct err *e) ATTR_MUST_USE;

/*
 * The reverse: extracts the file system that starts `offset` bytes into the file to the empty
 * directory `tree`, with owners, modes, times, xattrs, hard links and holes; without /lost+found
 * and overlayfs's xattrs. With `base`, devices other than character devices of /dev are refused.
 * The file system must be sound (e2fsck); damage found while reading is ERR_INTEGRITY, and nothing
 * is ever written outside of the tree. More than `ceiling` bytes are ERR_INPUT. Needs root.
 */
int ext4_unpack(const char *file, uint64_t offset, int tree, uint64_t ceiling, bool base,
                struct err *e) ATTR_MUST_USE;
