/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw disk as blocks of 512 KiB, known by their digests: what an image is told apart by, and what
 * is kept of each snapshot so that the next one sends only what changed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define BLOCKS_SIZE (512u * 1024)
#define BLOCKS_MAX  (1u << 27) /* 64 TiB, the largest volume */

struct blocks {
	uint32_t n;                          /* of the image; what follows is zeros */
	unsigned char (*sha256)[SHA256_LEN]; /* all zeros: the block is, too */
};

bool blocks_zero(const struct blocks *b, uint32_t i); /* also beyond the last */
bool blocks_same(const struct blocks *a, const struct blocks *b, uint32_t i);

/* ERR_INPUT for an empty file, one that isn't a regular one, or an image in a format of virtual
 * machines instead of a raw disk. */
int blocks_check(int fd, const char *name, struct err *e) ATTR_MUST_USE;

/* blocks_check, then reads what an open raw disk has data for; holes cost nothing. */
int blocks_scan(int fd, const char *name, struct blocks *ret, struct err *e) ATTR_MUST_USE;

/* One block of it, zeros past its end. */
int blocks_read(int fd, const char *name, uint32_t i, void *block, struct err *e) ATTR_MUST_USE;

/* Hex digest that stands for the whole content, trailing zeros left out. */
void blocks_digest(const struct blocks *b, char ret[static SHA256_HEX]);

/* What is kept: a file with a digest of its own. A damaged one is ERR_INTEGRITY, an absent one -ENOENT. */
int blocks_save(const struct blocks *b, int dirfd, const char *path, struct err *e) ATTR_MUST_USE;
int blocks_load(int dirfd, const char *path, struct blocks *ret, struct err *e) ATTR_MUST_USE;

void blocks_close(struct blocks *b);
#define scope_blocks __attribute__((cleanup(blocks_close)))
