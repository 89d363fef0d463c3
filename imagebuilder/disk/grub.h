/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Booting: GRUB for BIOS in its partition and the MBR, GRUB for UEFI at the removable path of the
 * ESP (firmware needs no boot entry for it), both reading /boot/grub/grub.cfg of the root.
 */
#pragma once

#include <stdint.h>

#include "disk/gpt.h"

struct grub {
	struct host *tools;
	const char *dir;  /* for files in between */
	const char *file; /* the disk, partitioned */
	const struct gpt *gpt;
	const char *root_uuid; /* of the root file system */
	uint32_t volume;       /* of the ESP */
	int64_t epoch;         /* what the ESP's entries are dated */
	uint64_t deadline;
};

/* GRUB's files for what the disk boots by are on this machine; else the package is named. */
int grub_check(const char *arch, enum recipe_boot boot, struct err *e) ATTR_MUST_USE;

/* Makes the ESP's file system and puts GRUB there, and for BIOS where that looks for it. */
int grub_install(const struct grub *g, struct err *e) ATTR_MUST_USE;

/*
 * The text of grub.cfg for the newest kernel of the layers: through Debian's links /vmlinuz and
 * /initrd.img where they are, so that an upgrade in a running machine is what boots next. Without
 * an initrd the kernel finds the root by its partition. ERR_INPUT: no kernel, or a command line
 * that isn't one line.
 */
int grub_config(const char *const *layers, const char *cmdline, const struct gpt *gpt,
                const char *root_uuid, struct arena *a, struct blob *ret,
                struct err *e) ATTR_MUST_USE;
