/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the content of a file in a file system, in each of the three ways it is stored. */
#include "disk/ext4_read.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"

int unpack_fail(struct unpack *u, errcode_t code, struct err *e, const char *doing)
{
	int r = ext4_fail(&u->f, code, e, doing);

	if (code >= 4096)
		e->kind = ERR_INTEGRITY;
	return r;
}

int unpack_bad(struct unpack *u, struct err *e, const char *what)
{
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG, "unpacking '%s': %s",
	               u->f.path, what);
}

struct run {
	blk64_t logical, physical, n;
};

/* Data behind the file's end is only for the file system itself (fs-verity). */
static int copy_run(struct unpack *u, int fd, uint64_t size, const struct run *x, struct err *e)
{
	unsigned block = u->f.fs->blocksize;
	blk64_t all = ext2fs_blocks_count(u->f.fs->super), at_once = EXT4_PIECE / block;

	if (x->physical >= all || x->n > all - x->physical)
		return unpack_bad(u, e, "blocks outside of the file system");
	for (blk64_t done = 0; done < x->n;) {
		blk64_t n = x->n - done < at_once ? x->n - done : at_once;
		uint64_t at = (x->logical + done) * block, len = n * block;

		if (at >= size)
			return 0;
		if (len > size - at)
			len = size - at;
		errcode_t code =
		        io_channel_read_blk64(u->f.fs->io, x->physical + done, (int)n, u->f.piece);
		if (code)
			return unpack_fail(u, code, e, "reading");
		if (len > u->ceiling - u->bytes)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
			               "unpacking '%s': more than %llu MiB", u->f.path,
			               (unsigned long long)(u->ceiling >> 20));
		u->bytes += len;
		if (lseek(fd, (off_t)at, SEEK_SET) < 0)
			return ext4_fail(&u->f, errno, e, "writing");
		int r = file_write_all(fd, u->f.piece, len);
		if (r < 0)
			return ext4_fail(&u->f, -r, e, "writing");
		done += n;
	}
	return 0;
}

static int copy_extents(struct unpack *u, int fd, struct node *n, struct err *e)
{
	ext2_extent_handle_t handle;
	struct ext2fs_extent x;
	int r = 0;
	errcode_t code = ext2fs_extent_open2(u->f.fs, n->ino, node_small(n), &handle);

	if (code)
		return unpack_fail(u, code, e, "reading");
	code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &x);
	while (!code && r == 0) {
		bool leaf = x.e_flags & EXT2_EXTENT_FLAGS_LEAF;

		if (leaf && !(x.e_flags & EXT2_EXTENT_FLAGS_UNINIT))
			r = copy_run(u, fd, node_size(n),
			             &(struct run){x.e_lblk, x.e_pblk, x.e_len}, e);
		if (r == 0)
			code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &x);
		while (!code && (x.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT))
			code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &x);
	}
	ext2fs_extent_free(handle);
	if (r < 0)
		return r;
	return code == EXT2_ET_EXTENT_NO_NEXT ? 0 : unpack_fail(u, code, e, "reading");
}

struct mapping {
	struct unpack *u;
	struct err *e;
	struct run run;
	uint64_t size;
	int fd, fault;
};

static int next_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t of, int offset,
                      void *ctx)
{
	struct mapping *m = ctx;
	blk64_t logical = (blk64_t)at;

	(void)fs, (void)of, (void)offset;
	if (m->run.n && logical == m->run.logical + m->run.n &&
	    *block == m->run.physical + m->run.n) {
		m->run.n++;
		return 0;
	}
	if (m->run.n)
		m->fault = copy_run(m->u, m->fd, m->size, &m->run, m->e);
	m->run = (struct run){logical, *block, 1};
	return m->fault < 0 ? BLOCK_ABORT : 0;
}

/* The block maps of ext2 and ext3. */
static int copy_mapped(struct unpack *u, int fd, struct node *n, struct err *e)
{
	struct mapping m = {.u = u, .e = e, .size = node_size(n), .fd = fd};
	errcode_t code = ext2fs_block_iterate3(
	        u->f.fs, n->ino, BLOCK_FLAG_DATA_ONLY | BLOCK_FLAG_READ_ONLY, NULL, next_block, &m);

	if (code)
		return unpack_fail(u, code, e, "reading");
	if (m.fault == 0 && m.run.n)
		m.fault = copy_run(u, fd, m.size, &m.run, e);
	return m.fault;
}

int unpack_small(struct unpack *u, struct node *n, size_t max, size_t *ret, struct err *e)
{
	uint64_t size = node_size(n);
	ext2_file_t file;
	unsigned got = 0;
	errcode_t code = ext2fs_file_open2(u->f.fs, n->ino, node_small(n), 0, &file);

	if (!code) {
		code = ext2fs_file_read(file, u->f.piece, (unsigned)(size < max ? size : max),
		                        &got);
		ext2fs_file_close(file);
	}
	if (code)
		return unpack_fail(u, code, e, "reading");
	*ret = got;
	return 0;
}

/* Inline data in the inode; anything beyond it is a hole. */
static int copy_inline(struct unpack *u, int fd, struct node *n, struct err *e)
{
	size_t len;
	int r = unpack_small(u, n, u->f.fs->blocksize, &len, e);

	if (r < 0)
		return r;
	r = file_write_all(fd, u->f.piece, len);
	return r < 0 ? ext4_fail(&u->f, -r, e, "writing") : 0;
}

int unpack_content(struct unpack *u, int fd, struct node *n, struct err *e)
{
	int r;

	if (n->inode.i_flags & EXT4_INLINE_DATA_FL)
		r = copy_inline(u, fd, n, e);
	else if (n->inode.i_flags & EXT4_EXTENTS_FL)
		r = copy_extents(u, fd, n, e);
	else
		r = copy_mapped(u, fd, n, e);
	if (r < 0)
		return r;
	return ftruncate(fd, (off_t)node_size(n)) < 0 ? ext4_fail(&u->f, errno, e, "writing") : 0;
}
