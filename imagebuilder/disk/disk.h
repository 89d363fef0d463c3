/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk: from the layers of a finished tree to a raw or qcow2 file that boots on EC2. No loop
 * device and no mount. The same layers, spec and tools give the same bytes.
 *
 * /etc/fstab gets the root by its UUID (other lines of it stay), /boot/grub/grub.cfg the kernel,
 * and where the tree has systemd-repart, /etc/repart.d tells it to grow the root to the size of the
 * volume at boot. These go into the disk, not into the layers.
 */
#pragma once

#include "recipe/recipe.h"

enum disk_format { DISK_RAW, DISK_QCOW2 };

struct disk_job {
	const struct disk_spec *spec;
	const char *arch;          /* "x86_64" or "arm64" */
	const char *const *layers; /* directories, lowest first, NULL-terminated: a whole tree,
	                              then overlayfs's upper directories */
	int64_t epoch;             /* what changed later is dated so; see disk_epoch */
	const char *output;        /* replaced in one step, at the end */
	enum disk_format format;
	/*
	 * NULL, or a file that keeps the root file system of all layers but the last `fresh`: used
	 * when it is there, written when it isn't. Its name must be a function of those layers,
	 * the spec and the epoch. The disk's bytes are the same with it and without.
	 */
	const char *stem;
	size_t fresh;
	uint64_t deadline;
};

/* The tools for it are on this machine; else the first that isn't, and its package. */
int disk_check(const struct disk_job *j, struct err *e) ATTR_MUST_USE;

/* disk_check, then all of it. A tree that doesn't fit is ERR_INPUT with the size that would do. */
int disk_write(const struct disk_job *j, struct err *e) ATTR_MUST_USE;

/* When the newest installed package was made, which no rebuild changes; a day in 2020 when the tree
 * has neither dpkg nor an rpm that can be asked. */
int disk_epoch(const char *const *layers, int64_t *ret, struct err *e) ATTR_MUST_USE;
