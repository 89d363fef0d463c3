/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one inode: its content, attributes and xattrs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "archive/xattrs.h"
#include "base/scope.h"
#include "disk/ext4_own.h"

static const char zeros[EXT4_PIECE];

static uint32_t clamp_time(const struct ext4_fs *f, int64_t t)
{
	return (uint32_t)(t < 0 ? 0 : t > f->epoch ? f->epoch : t);
}

void ext4_attributes(const struct ext4_fs *f, const struct stat *st, struct ext2_inode *inode)
{
	uint32_t t = clamp_time(f, st->st_mtim.tv_sec);

	inode->i_mode = (uint16_t)st->st_mode;
	inode->i_uid = (uint16_t)st->st_uid;
	inode->i_gid = (uint16_t)st->st_gid;
	ext2fs_set_i_uid_high(*inode, (uint16_t)(st->st_uid >> 16));
	ext2fs_set_i_gid_high(*inode, (uint16_t)(st->st_gid >> 16));
	inode->i_mtime = inode->i_ctime = inode->i_atime = t;
}

/* Writes the piece's blocks, which are already allocated, in contiguous runs. */
static errcode_t write_blocks(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode,
                              blk64_t first, blk64_t n)
{
	ext2_extent_handle_t handle;
	errcode_t r = ext2fs_extent_open2(f->fs, ino, inode, &handle);

	for (blk64_t at = first; !r && at < first + n;) {
		struct ext2fs_extent x;

		r = ext2fs_extent_goto(handle, at);
		if (!r)
			r = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &x);
		if (r)
			break;
		blk64_t len = x.e_lblk + x.e_len - at;
		if (len > first + n - at)
			len = first + n - at;
		r = io_channel_write_blk64(f->fs->io, x.e_pblk + (at - x.e_lblk), (int)len,
		                           f->piece + (at - first) * EXT4_BLOCK);
		at += len;
	}
	if (handle)
		ext2fs_extent_free(handle);
	return r;
}

/* Reads up to a piece of the file, padded to whole blocks; -errno, or the bytes read. */
static ssize_t read_piece(struct ext4_fs *f, int fd, uint64_t at)
{
	size_t have = 0;

	while (have < EXT4_PIECE) {
		ssize_t n = pread(fd, f->piece + have, EXT4_PIECE - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	size_t pad = -have % EXT4_BLOCK;
	memset(f->piece + have, 0, pad);
	return (ssize_t)have;
}

/* Reads the piece at `at` of a file of that size: 0 or the error. */
static errcode_t load(struct ext4_fs *f, int fd, uint64_t at, uint64_t size, bool *ret_empty)
{
	uint64_t want = size - at < EXT4_PIECE ? size - at : EXT4_PIECE;
	ssize_t got = read_piece(f, fd, at);

	if (got < 0)
		return -got;
	if ((uint64_t)got != want)
		return ESTALE; /* another process writes to it */
	*ret_empty = memcmp(f->piece, zeros, want) == 0;
	return 0;
}

static blk64_t blocks_of(uint64_t bytes)
{
	return (bytes + EXT4_BLOCK - 1) / EXT4_BLOCK;
}

static errcode_t allocate(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode,
                          uint64_t from, uint64_t to)
{
	if (from == to)
		return 0;
	return ext2fs_fallocate(f->fs, EXT2_FALLOCATE_FORCE_INIT, ino, inode, ~0ULL,
	                        from / EXT4_BLOCK, blocks_of(to - from));
}

/* Allocates blocks for the whole file, with holes for pieces of zeros, regardless of the source's
 * holes: those depend on the file system it is on. One request for each run, so that it becomes one
 * extent. */
static errcode_t allocate_content(struct ext4_fs *f, int fd, uint64_t size, ext2_ino_t ino,
                                  struct ext2_inode *inode)
{
	uint64_t run = 0;
	bool empty;
	errcode_t r = 0;

	for (uint64_t at = 0; !r && at < size; at += EXT4_PIECE) {
		r = load(f, fd, at, size, &empty);
		if (r || !empty)
			continue;
		r = allocate(f, ino, inode, run, at);
		run = at + EXT4_PIECE;
	}
	return r || run >= size ? r : allocate(f, ino, inode, run, size);
}

static errcode_t write_content(struct ext4_fs *f, int fd, uint64_t size, ext2_ino_t ino,
                               struct ext2_inode *inode)
{
	errcode_t r = allocate_content(f, fd, size, ino, inode);
	bool empty;

	for (uint64_t at = 0; !r && at < size; at += EXT4_PIECE) {
		if (size > EXT4_PIECE) /* else the piece is still in memory */
			r = load(f, fd, at, size, &empty);
		else
			empty = memcmp(f->piece, zeros, size) == 0;
		if (r || empty)
			continue;
		uint64_t end = size - at < EXT4_PIECE ? size : at + EXT4_PIECE;
		r = write_blocks(f, ino, inode, at / EXT4_BLOCK, blocks_of(end - at));
	}
	return r;
}

/* libext2fs treats a time of 0, 1970's first second, as not set. */
static errcode_t write_new(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode)
{
	uint32_t t = inode->i_mtime;
	errcode_t code = ext2fs_write_new_inode(f->fs, ino, inode);

	if (code || t)
		return code;
	inode->i_mtime = inode->i_ctime = inode->i_atime = 0;
	return ext2fs_write_inode(f->fs, ino, inode);
}

static errcode_t create_file(struct ext4_fs *f, int dir, const char *name, const struct stat *st,
                             ext2_ino_t ino, struct ext2_inode *inode)
{
	scope_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ext2_extent_handle_t handle;

	if (fd < 0)
		return errno;
	inode->i_flags |= EXT4_EXTENTS_FL;
	errcode_t r = ext2fs_extent_open2(f->fs, ino, inode, &handle); /* creates an empty tree */
	if (r)
		return r;
	ext2fs_extent_free(handle);
	r = write_new(f, ino, inode);
	if (!r)
		r = write_content(f, fd, (uint64_t)st->st_size, ino, inode);
	if (!r)
		r = ext2fs_inode_size_set(f->fs, inode, st->st_size);
	return r ? r : ext2fs_write_inode(f->fs, ino, inode);
}

/* Device numbers in the kernel's encoding: the old form if it fits, else the new one in the second
 * block. */
static errcode_t create_node(struct ext4_fs *f, const struct stat *st, ext2_ino_t ino,
                             struct ext2_inode *inode)
{
	unsigned major_no = major(st->st_rdev), minor_no = minor(st->st_rdev);

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		if (major_no < 256 && minor_no < 256)
			inode->i_block[0] = major_no * 256 + minor_no;
		else
			inode->i_block[1] =
			        (minor_no & 0xff) | (major_no << 8) | ((minor_no & ~0xffU) << 12);
	}
	return write_new(f, ino, inode);
}

static errcode_t create_link(struct ext4_fs *f, int dir, const char *name, ext2_ino_t parent,
                             ext2_ino_t ino, struct ext2_inode *inode)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	struct ext2_inode made;

	if (n < 0)
		return errno;
	target[n] = '\0';
	/* Without a name it makes the inode only. */
	errcode_t r = ext2fs_symlink(f->fs, parent, ino, NULL, target);
	if (!r)
		r = ext2fs_read_inode(f->fs, ino, &made);
	if (r)
		return r;
	made.i_uid = inode->i_uid;
	made.i_gid = inode->i_gid;
	made.i_uid_high = inode->i_uid_high;
	made.i_gid_high = inode->i_gid_high;
	made.i_mtime = made.i_ctime = made.i_atime = inode->i_mtime;
	made.i_links_count = 1;
	return ext2fs_write_inode(f->fs, ino, &made);
}

static errcode_t create(struct ext4_fs *f, int dir, const char *name, const struct stat *st,
                        ext2_ino_t parent, ext2_ino_t ino)
{
	struct ext2_inode inode = {.i_links_count = 1};

	ext4_attributes(f, st, &inode);
	if (S_ISLNK(st->st_mode)) /* this call also counts the inode as used */
		return create_link(f, dir, name, parent, ino, &inode);
	ext2fs_inode_alloc_stats2(f->fs, ino, +1, 0);
	if (S_ISREG(st->st_mode))
		return create_file(f, dir, name, st, ino, &inode);
	return create_node(f, st, ino, &inode);
}

int ext4_create(struct ext4_fs *f, int dir, const char *name, const struct stat *st,
                ext2_ino_t parent, ext2_ino_t *ret, struct err *e)
{
	ext2_ino_t ino;
	errcode_t code = ext2fs_new_inode(f->fs, parent, st->st_mode, NULL, &ino);

	if (code)
		return ext4_fail(f, code, e, "making an inode for");
	code = create(f, dir, name, st, parent, ino);
	if (code)
		return ext4_fail(f, code, e, "writing");
	int r = ext4_xattrs(f, dir, name, ino, e);
	if (r < 0)
		return r;
	*ret = ino;
	return 0;
}

static errcode_t write_xattrs(struct ext4_fs *f, const struct xattrs *all, ext2_ino_t ino)
{
	struct ext2_xattr_handle *h;
	errcode_t code = ext2fs_xattrs_open(f->fs, ino, &h);

	if (code)
		return code;
	for (size_t i = 0; i < all->n && !code; i++)
		code = ext2fs_xattr_set(h, all->items[i].name, all->items[i].value.data,
		                        all->items[i].value.len);
	if (!code)
		code = ext2fs_xattrs_write(h);
	ext2fs_xattrs_close(&h);
	return code;
}

int ext4_xattrs(struct ext4_fs *f, int dir, const char *name, ext2_ino_t ino, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct xattrs all;
	int r = xattrs_read(dir, name, a, &all);

	if (r < 0)
		return ext4_fail(f, -r, e, "reading the attributes of");
	if (!all.n)
		return 0;
	errcode_t code = write_xattrs(f, &all, ino);
	return code ? ext4_fail(f, code, e, "writing the attributes of") : 0;
}
