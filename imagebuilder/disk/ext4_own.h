/* SPDX-License-Identifier: Apache-2.0 */
/* What the ext4*.c files share. */
#pragma once

#include <sys/stat.h>

#include <ext2fs/ext2fs.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define EXT4_BLOCK 4096
#define EXT4_PIECE (1 << 20) /* bytes read, tested for zero and written at once */
#define EXT4_DEPTH 200       /* nesting of directories; each level takes a descriptor */

struct ext4_run {
	blk64_t first, n; /* blocks */
};

struct ext4_fs {
	ext2_filsys fs;
	int64_t epoch;
	char *piece;            /* EXT4_PIECE bytes */
	struct arena *arena;    /* lives as long as the layer */
	struct ext4_run *freed; /* blocks whose content ext4_forget() has to remove */
	size_t n_freed;
	void *links;     /* tsearch(3) tree of struct ext4_link: the names seen so far */
	char path[4096]; /* the current path, for messages */
	size_t path_len;
};

/* A file of the source with several names, and its inode here. */
struct ext4_link {
	dev_t dev;
	ino_t source;
	ext2_ino_t ino;
};

/* Fills *e with libext2fs's message: "doing 'PATH': cause". ENOSPC when it is full. */
int ext4_fail(const struct ext4_fs *f, errcode_t code, struct err *e, const char *doing);

/* Opens the file system at `offset` bytes into the file; ext4_close frees it,
 * and writes nothing. */
int ext4_open(const char *file, uint64_t offset, int flags, struct ext4_fs *f,
              struct err *e) ATTR_MUST_USE;
void ext4_close(struct ext4_fs *f);
#define scope_ext4 __attribute__((cleanup(ext4_close)))

/* Appends a name to the path used in messages; returns what ext4_leave needs. */
size_t ext4_enter(struct ext4_fs *f, const char *name);
void ext4_leave(struct ext4_fs *f, size_t before);

/* Copies owner, mode and times of st to the inode structure; writes nothing. */
void ext4_attributes(const struct ext4_fs *f, const struct stat *st, struct ext2_inode *inode);

/* Makes the inode of anything but a directory, with content and xattrs; links it nowhere yet. */
int ext4_create(struct ext4_fs *f, int dir, const char *name, const struct stat *st,
                ext2_ino_t parent, ext2_ino_t *ret, struct err *e) ATTR_MUST_USE;
/* Replaces all xattrs of the inode by those of the name, except overlayfs's. */
int ext4_xattrs(struct ext4_fs *f, int dir, const char *name, ext2_ino_t ino,
                struct err *e) ATTR_MUST_USE;

/* Removes the name from the directory; frees what it names if that was the last name. A directory
 * is removed with its content. */
int ext4_remove(struct ext4_fs *f, ext2_ino_t parent, const char *name, ext2_ino_t ino,
                struct err *e) ATTR_MUST_USE;
/* Makes zeros of what was freed and not used again since; nothing may be left in the cache. */
errcode_t ext4_forget(struct ext4_fs *f);
/* Removes everything in the directory. */
int ext4_empty(struct ext4_fs *f, ext2_ino_t dir, struct err *e) ATTR_MUST_USE;
