/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the disk: from the layers of a finished tree to a raw or qcow2 file that boots on EC2. No
 * loop device and no mount. The same layers, spec and tools give the same bytes.
 *
 * /etc/fstab gets the root by its UUID (other lines of it stay), /boot/grub/grub.cfg the kernel;
 * where the tree has systemd-repart, /etc/repart.d tells it to grow the root to the size of the
 * volume at boot; below /boot/grub are the images of GRUB that the disk starts by, as grub-install
 * leaves them. These are written to the disk, not to the layers.
 */
#pragma once

#include "recipe/recipe.h"

enum disk_format { DISK_RAW, DISK_QCOW2 };

struct disk_job {
	const struct disk_spec *spec;
	const char *arch;          /* "x86_64" or "arm64" */
	const char *const *layers; /* directories, lowest first, NULL-terminated: a whole tree,
	                              then overlayfs's upper directories */
	int64_t epoch;             /* later changes are dated so; see disk_epoch */
	const char *output;        /* replaced in one step, at the end */
	enum disk_format format;
	bool compress; /* raw: by archive/pack.h; qcow2: its clusters, which every reader of it takes */
	/*
	 * NULL, or a file that caches the root file system of all layers but the last `fresh`: used
	 * if it exists, else written. Its name must be a function of those layers, the spec and the
	 * epoch. The disk's bytes are the same with it and without.
	 */
	const char *stem;
	size_t fresh;
	uint64_t deadline;
};

/* Checks that its tools are installed; the error names the first missing one and its package. */
int disk_check(const struct disk_job *j, struct err *e) ATTR_MUST_USE;

/* disk_check, then does all of it. A tree that doesn't fit is ERR_INPUT with the size that is
 * needed. */
int disk_write(const struct disk_job *j, struct err *e) ATTR_MUST_USE;

/* The build time of the newest installed package, which is the same in every rebuild; a fixed day
 * in 2020 if the tree has neither dpkg nor an rpm database that can be read. */
int disk_epoch(const char *const *layers, int64_t *ret, struct err *e) ATTR_MUST_USE;
