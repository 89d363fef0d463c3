/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by ext4_read.c and ext4_unpack.c. */
#pragma once

#include "disk/ext4_own.h"

struct unpack {
	struct ext4_fs f; /* its path is that inside the image */
	int tree;
	bool base;               /* devices are refused */
	uint64_t ceiling, bytes; /* most bytes allowed, and read so far */
};

/* An inode as read. */
struct node {
	ext2_ino_t ino;
	struct ext2_inode_large inode;
};

static inline struct ext2_inode *node_small(struct node *n)
{
	return (struct ext2_inode *)(void *)&n->inode;
}

static inline uint64_t node_size(struct node *n)
{
	return EXT2_I_SIZE(node_small(n));
}

/* Fills *e with libext2fs's message; errors about the data read are ERR_INTEGRITY. */
int unpack_fail(struct unpack *u, errcode_t code, struct err *e, const char *doing);
/* ERR_INTEGRITY with what is wrong at the path. */
int unpack_bad(struct unpack *u, struct err *e, const char *what);

/* Writes the content of a regular file, with its holes, to the open, empty file. */
int unpack_content(struct unpack *u, int fd, struct node *n, struct err *e) ATTR_MUST_USE;
/* Reads the first bytes, at most EXT4_PIECE, into the piece. */
int unpack_small(struct unpack *u, struct node *n, size_t max, size_t *ret,
                 struct err *e) ATTR_MUST_USE;
