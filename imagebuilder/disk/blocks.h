/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw disk as blocks of 512 KiB with their digests: they identify an image, and are kept for each
 * snapshot so that the next one sends only what changed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define BLOCKS_SIZE (512u * 1024)
#define BLOCKS_MAX  (1u << 27) /* 64 TiB, the largest volume */

struct blocks {
	uint32_t n;                          /* of the image; blocks past them are zeros */
	unsigned char (*sha256)[SHA256_LEN]; /* an all-zero digest stands for an all-zero block */
};

bool blocks_zero(const struct blocks *b, uint32_t i); /* also past the last one */
bool blocks_same(const struct blocks *a, const struct blocks *b, uint32_t i);

/* ERR_INPUT for an empty file, something other than a regular file, or a virtual machine format
 * instead of a raw disk. */
int blocks_check(int fd, const char *name, struct err *e) ATTR_MUST_USE;

/* blocks_check, then reads the data of an open raw disk; holes are skipped. */
int blocks_scan(int fd, const char *name, struct blocks *ret, struct err *e) ATTR_MUST_USE;

/* Reads one block, with zeros past the disk's end. */
int blocks_read(int fd, const char *name, uint32_t i, void *block, struct err *e) ATTR_MUST_USE;

/* Hex digest of the whole content, without trailing zeros. */
void blocks_digest(const struct blocks *b, char ret[static SHA256_HEX]);

/* The file that is kept, with a digest of its own. A damaged one is ERR_INTEGRITY, a missing one
 * -ENOENT. */
int blocks_save(const struct blocks *b, int dirfd, const char *path, struct err *e) ATTR_MUST_USE;
int blocks_load(int dirfd, const char *path, struct blocks *ret, struct err *e) ATTR_MUST_USE;

void blocks_close(struct blocks *b);
#define scope_blocks __attribute__((cleanup(blocks_close)))
