/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot loader: GRUB for BIOS in its partition and the MBR, GRUB for UEFI at the
 * removable path of the ESP (so the firmware needs no boot entry), both reading
 * /boot/grub/grub.cfg of the root.
 */
#pragma once

#include <stdint.h>

#include "disk/gpt.h"

struct grub {
	struct host *tools;
	const char *dir;  /* for temporary files */
	const char *file; /* the disk, partitioned */
	const struct gpt *gpt;
	const char *root_uuid; /* of the root file system */
	uint32_t volume;       /* of the ESP */
	int64_t epoch;         /* the timestamp of the ESP's entries */
	uint64_t deadline;
};

/* Checks that GRUB's files for the boot modes are on this machine; else the error names the
 * package. */
int grub_check(const char *arch, enum recipe_boot boot, struct err *e) ATTR_MUST_USE;

/* Makes the ESP's file system and installs GRUB in it, and GRUB for BIOS in the MBR and its
 * partition. */
int grub_install(const struct grub *g, struct err *e) ATTR_MUST_USE;

/*
 * The text of grub.cfg for the newest kernel of the layers: through Debian's links /vmlinuz and
 * /initrd.img if they exist, so that a running machine boots what an upgrade installs. Without an
 * initrd the kernel finds the root by its partition. ERR_INPUT: no kernel, or a command line of
 * more than one line.
 */
int grub_config(const char *const *layers, const char *cmdline, const struct gpt *gpt,
                const char *root_uuid, struct arena *a, struct blob *ret,
                struct err *e) ATTR_MUST_USE;
