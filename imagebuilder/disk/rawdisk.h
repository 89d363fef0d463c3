/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw disk opened for reading: finds its root file system, and whether it can be read. The
 * root is the partition of that type; else the only Linux partition, or the last of several;
 * without a table the whole file is the file system. ext2, ext3 and ext4 are supported;
 * nothing is mounted.
 */
#pragma once

#include <limits.h>

#include "disk/gpt.h"

struct rawdisk {
	int fd;              /* read-only */
	const char *file;    /* as the user named it */
	char path[PATH_MAX]; /* absolute */
	uint64_t size;
	bool has_table;
	struct gpt_table table;       /* if it has one */
	const struct gpt_entry *root; /* in the table, or NULL */
	uint64_t offset;              /* of the root file system, bytes */
	char uuid[IDENT_UUID];        /* of the root file system */
};
#define RAWDISK_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Opens it and finds all that; `file` must live as long as *ret, which is filled in place and must
 * not be copied. ERR_INPUT for what is not a raw disk, has another kind of table or file system, or
 * wasn't unmounted cleanly; ERR_INTEGRITY for a damaged table.
 */
int rawdisk_open(const char *file, struct rawdisk *ret, struct err *e) ATTR_MUST_USE;
void rawdisk_close(struct rawdisk *d);
#define scope_rawdisk __attribute__((cleanup(rawdisk_close)))

/* Runs e2fsck on the root file system without changing it; faults are ERR_INTEGRITY. */
int rawdisk_check(const struct rawdisk *d, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/*
 * rawdisk_check, then extracts the root file system into `tree`, an empty directory's descriptor.
 * With `base`, devices that aren't of /dev are refused, as archive.h does. More than `ceiling`
 * bytes are ERR_INPUT.
 */
int rawdisk_unpack(const struct rawdisk *d, int tree, uint64_t ceiling, bool base,
                   uint64_t deadline, struct err *e) ATTR_MUST_USE;
