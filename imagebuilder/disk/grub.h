/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot loader: GRUB for BIOS in its partition and the MBR, GRUB for UEFI at the
 * removable path of the ESP (so the firmware needs no boot entry), both reading
 * /boot/grub/grub.cfg of the root. With Secure Boot Debian's signed shim is there instead, its signed
 * GRUB beside it, and what leads that GRUB to the root in /EFI/debian, where it was built to look.
 */
#pragma once

#include <stdint.h>

#include "disk/gpt.h"

struct grub {
	struct host *tools;
	const char *const
	        *layers;  /* of the image: the signed loaders of BOOT_UEFI_SECURE, and modules */
	const char *dir;  /* for temporary files */
	const char *file; /* the disk, partitioned */
	const struct gpt *gpt;
	const char *root_uuid; /* of the root file system */
	uint32_t volume;       /* of the ESP */
	int64_t epoch;         /* the timestamp of the ESP's entries */
	uint64_t deadline;
};

/* Checks that GRUB's files for the boot modes are on this machine; else the error names the
 * package. For UEFI of another architecture they are taken from the image. */
int grub_check(const char *arch, enum recipe_boot boot, struct err *e) ATTR_MUST_USE;

/* Builds GRUB's images in `dir`, or for BOOT_UEFI_SECURE takes the signed ones of the layers; of *g,
 * tools, layers, dir, gpt->arch, root_uuid, epoch and deadline are used. */
int grub_make(const struct grub *g, enum recipe_boot boot, struct err *e) ATTR_MUST_USE;

/* Copies what grub_make() built below `top`, an existing /boot/grub, as grub-install does: by these
 * files whoever has the disk can prove its boot code. */
int grub_keep(const struct grub *g, enum recipe_boot boot, const char *top,
              struct err *e) ATTR_MUST_USE;

/* Makes the ESP's file system and installs the GRUB of grub_make() in it, and GRUB for BIOS in the
 * MBR and its partition. */
int grub_install(const struct grub *g, enum recipe_boot boot, struct err *e) ATTR_MUST_USE;

/* The text that leads GRUB to the root with that UUID. */
const char *grub_lead(const char *root_uuid, struct arena *a);

/* In boot.img: where core.img begins. The rest of its sector is the disk's id and partitions. */
#define GRUB_BOOT_CODE          440
#define GRUB_BOOT_KERNEL_SECTOR 0x5c
/* In the first sector of core.img: the first and the number of the remaining sectors. */
#define GRUB_CORE_BLOCKLIST 0x1f4
#define GRUB_CORE_MAX       (1 << 20)  /* the size of the BIOS boot partition */
#define GRUB_EFI_MAX        (16 << 20) /* bytes of a loader for UEFI */

/*
 * grub_prove.c: compares boot code with the files that GRUB's installation leaves in the root's
 * tree, whoever made the disk. *ret_own: the tree has such files; else only the structure is
 * checked. A fault is ERR_INTEGRITY.
 */
int grub_prove_bios(int disk, uint64_t partition, int tree, bool *ret_own,
                    struct err *e) ATTR_MUST_USE;
/* Of a file at the ESP's removable path, BOOTX64.EFI or BOOTAA64.EFI. */
int grub_prove_efi(struct blob loader, bool arm, int tree, bool *ret_own,
                   struct err *e) ATTR_MUST_USE;
/* What an ESP has for Secure Boot; no data: it lacks that file. */
struct grub_signed {
	bool arm;
	struct blob loader;  /* BOOTX64.EFI or BOOTAA64.EFI */
	struct blob grub;    /* which a shim loads: grubx64.efi or grubaa64.efi beside it */
	struct blob manager; /* and at times mmx64.efi or mmaa64.efi */
	struct blob lead;    /* /EFI/debian/grub.cfg, which no signature covers */
};
/* Where the loader is the image's own shim or signed GRUB: whether what it goes on with is the
 * image's own, and leads to its root and nowhere else. 0 for any other loader. */
int grub_prove_signed(const struct grub_signed *s, const char *root_uuid, int tree,
                      struct err *e) ATTR_MUST_USE;

/*
 * The text of grub.cfg for the newest kernel of the layers, and for the one before it, which GRUB
 * starts where the newest can't be loaded: through Debian's links /vmlinuz and
 * /initrd.img if they exist, so that a running machine boots what an upgrade installs. Without an
 * initrd the kernel finds the root by its partition. ERR_INPUT: no kernel, or a command line of
 * more than one line.
 */
int grub_config(const char *const *layers, const char *cmdline, const struct gpt *gpt,
                const char *root_uuid, struct arena *a, struct blob *ret,
                struct err *e) ATTR_MUST_USE;
