/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table: where the parts of a disk are, and their names. */
#pragma once

#include <stdint.h>

#include "host/host.h"
#include "ident.h"
#include "recipe.h"

#define GPT_SECTOR 512

enum gpt_role { GPT_BIOS, GPT_ESP, GPT_ROOT, GPT_ROLES };

struct gpt_part {
	uint64_t start, size; /* bytes; size 0: this disk has none */
	char uuid[IDENT_UUID];
};

struct gpt {
	char uuid[IDENT_UUID];
	const char *arch; /* "x86_64" or "arm64" */
	struct gpt_part parts[GPT_ROLES];
};

/* 1 MiB for GRUB's core where BIOS is to boot, 64 MiB for the ESP, the rest for the root: last, so
 * that it grows with the disk. ERR_INPUT when that leaves the root nothing. */
int gpt_layout(const struct disk_spec *d, const char *arch, struct gpt *ret,
               struct err *e) ATTR_MUST_USE;

/* Writes it into the file, which has the disk's size, by sfdisk. */
int gpt_write(struct host *tools, const char *file, const struct gpt *g, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;
