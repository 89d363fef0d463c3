/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table: positions and names of a disk's partitions, written and read. */
#pragma once

#include <stdint.h>

#include "host/host.h"
#include "recipe/recipe.h"
#include "store/ident.h"

#define GPT_SECTOR 512

enum gpt_role { GPT_BIOS, GPT_ESP, GPT_ROOT, GPT_ROLES };

struct gpt_part {
	uint64_t start, size; /* bytes; size 0: the disk has no such partition */
	char uuid[IDENT_UUID];
};

struct gpt {
	char uuid[IDENT_UUID];
	const char *arch; /* "x86_64" or "arm64" */
	struct gpt_part parts[GPT_ROLES];
};

/* 1 MiB for GRUB's core if BIOS is to boot, 64 MiB for the ESP, the rest for the root, which is
 * last so that it can grow with the disk. ERR_INPUT when that leaves no space for the root. */
int gpt_layout(const struct disk_spec *d, const char *arch, struct gpt *ret,
               struct err *e) ATTR_MUST_USE;

/* Writes it with sfdisk into the file, which already has the disk's size. */
int gpt_write(struct host *tools, const char *file, const struct gpt *g, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;

#define GPT_ENTRIES 128 /* most entries read; all partitioning tools make this many */
#define GPT_NAME    37  /* 36 characters and the NUL; non-ASCII is read as '?' */

struct gpt_entry {
	unsigned number;                         /* N in /dev/sdaN */
	uint64_t start, size;                    /* bytes */
	char type[IDENT_UUID], uuid[IDENT_UUID]; /* lower case */
	char name[GPT_NAME];
};

struct gpt_table {
	char uuid[IDENT_UUID];
	uint64_t copy; /* where the backup table is, in bytes */
	size_t n;
	struct gpt_entry items[GPT_ENTRIES]; /* by number */
};

/*
 * Reads the table of an open disk called `name`, and verifies its checksums. No table is ERR_INPUT
 * with ENOENT; a damaged one, or partitions that overlap or lie outside the disk, are
 * ERR_INTEGRITY.
 */
int gpt_read(int fd, const char *name, struct gpt_table *ret, struct err *e) ATTR_MUST_USE;

/* The same for the backup table, which must match and be in the disk's last sectors. */
int gpt_check_copy(int fd, const char *name, const struct gpt_table *t,
                   struct err *e) ATTR_MUST_USE;

/* The kind of partition by its type: "root", "esp", "bios", "linux" (any of Linux), or NULL. */
const char *gpt_kind(const struct gpt_entry *p);

/* "x86_64" or "arm64", as the type of its root partition says; NULL: no partition says it. */
const char *gpt_arch(const struct gpt_table *t);
