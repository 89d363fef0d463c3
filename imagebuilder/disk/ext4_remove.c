/* SPDX-License-Identifier: Apache-2.0 */
/* Removes files in such a way that their content can't be read any more. */
#include <errno.h>

#include "disk/ext4_own.h"

static int add_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int ref_offset,
                     void *ctx)
{
	struct ext4_fs *f = ctx;
	struct ext4_run *last = f->n_freed ? &f->freed[f->n_freed - 1] : NULL;

	(void)fs, (void)at, (void)ref, (void)ref_offset;
	if (last && last->first + last->n == *block) {
		last->n++;
		return 0;
	}
	f->freed = arena_grow(f->arena, f->freed, &f->n_freed, sizeof *f->freed);
	f->freed[f->n_freed - 1] = (struct ext4_run){*block, 1};
	return 0;
}

static errcode_t free_blocks(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode)
{
	errcode_t r = 0;

	if (ext2fs_file_acl_block(f->fs, inode)) {
		blk64_t block = ext2fs_file_acl_block(f->fs, inode);
		add_block(f->fs, &block, 0, 0, 0, f);
		r = ext2fs_free_ext_attr(f->fs, ino, (void *)inode);
	}
	if (r || !ext2fs_inode_has_valid_blocks2(f->fs, inode))
		return r;
	r = ext2fs_block_iterate3(f->fs, ino, BLOCK_FLAG_READ_ONLY, NULL, add_block, f);
	return r ? r : ext2fs_punch(f->fs, ino, inode, NULL, 0, ~0ULL);
}

/* Discards what is free now of the run. */
static errcode_t discard(ext2_filsys fs, const struct ext4_run *run)
{
	blk64_t end = run->first + run->n, at = run->first, from;
	errcode_t r = 0;

	while (!r && at < end) {
		for (from = at; at < end && !ext2fs_test_block_bitmap2(fs->block_map, at);)
			at++;
		if (at > from)
			r = io_channel_discard(fs->io, from, at - from);
		else
			at++;
	}
	return r;
}

errcode_t ext4_forget(struct ext4_fs *f)
{
	errcode_t r = 0;

	for (size_t i = 0; !r && i < f->n_freed; i++)
		r = discard(f->fs, &f->freed[i]);
	return r;
}

static errcode_t free_inode(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode)
{
	static const struct ext2_inode_large nothing;
	struct ext2_inode_large none = nothing;
	bool is_dir = LINUX_S_ISDIR(inode->i_mode);
	errcode_t code = free_blocks(f, ino, inode);

	if (code)
		return code;
	code = ext2fs_write_inode_full(f->fs, ino, (struct ext2_inode *)&none, sizeof none);
	if (code)
		return code;
	ext2fs_inode_alloc_stats2(f->fs, ino, -1, is_dir);
	return 0;
}

struct entry {
	ext2_ino_t ino;
	const char *name;
};

struct entries {
	struct arena *arena;
	struct entry *items;
	size_t n;
};

static int add_entry(ext2_ino_t dir, int kind, struct ext2_dir_entry *d, int offset, int blocksize,
                     char *buf, void *ctx)
{
	struct entries *list = ctx;

	(void)dir, (void)offset, (void)blocksize, (void)buf;
	if (kind != DIRENT_OTHER_FILE)
		return 0;
	list->items = arena_grow(list->arena, list->items, &list->n, sizeof *list->items);
	list->items[list->n - 1] = (struct entry){
	        .ino = d->inode,
	        .name = arena_memdup(list->arena, d->name, (size_t)ext2fs_dirent_name_len(d)),
	};
	return 0;
}

int ext4_empty(struct ext4_fs *f, ext2_ino_t dir, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct entries list = {.arena = a};
	errcode_t code = ext2fs_dir_iterate2(f->fs, dir, 0, NULL, add_entry, &list);

	if (code)
		return ext4_fail(f, code, e, "listing");
	for (size_t i = 0; i < list.n; i++) {
		int r = ext4_remove(f, dir, list.items[i].name, list.items[i].ino, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static errcode_t one_link_less(struct ext4_fs *f, ext2_ino_t ino, struct ext2_inode *inode)
{
	inode->i_links_count--;
	return ext2fs_write_inode(f->fs, ino, inode);
}

int ext4_remove(struct ext4_fs *f, ext2_ino_t parent, const char *name, ext2_ino_t ino,
                struct err *e)
{
	struct ext2_inode inode, above;
	errcode_t code = ext2fs_read_inode(f->fs, ino, &inode);

	if (!code && LINUX_S_ISDIR(inode.i_mode)) {
		int r = ext4_empty(f, ino, e);
		if (r < 0)
			return r;
		code = ext2fs_read_inode(f->fs, parent, &above);
		if (!code)
			code = one_link_less(f, parent, &above);
		inode.i_links_count = 1;
	}
	if (!code)
		code = ext2fs_unlink(f->fs, parent, name, ino, 0);
	if (!code)
		code = inode.i_links_count > 1 ? one_link_less(f, ino, &inode)
		                               : free_inode(f, ino, &inode);
	return code ? ext4_fail(f, code, e, "removing") : 0;
}
