/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a tree over the content of a file system. */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>

#include "base/scope.h"
#include "disk/ext4.h"
#include "disk/ext4_own.h"
#include "store/listing.h"
#include "store/stack.h"

static int link_compare(const void *a, const void *b)
{
	const struct ext4_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source;
}

/* The entry of a file with several names; its ino is 0 if this is the first of them. */
static struct ext4_link *link_of(struct ext4_fs *f, const struct stat *st)
{
	struct ext4_link key = {.dev = st->st_dev, .source = st->st_ino}, *fresh;
	struct ext4_link **found = tfind(&key, &f->links, link_compare);

	if (found)
		return *found;
	fresh = malloc(sizeof *fresh);
	if (!fresh)
		abort();
	*fresh = key;
	tsearch(fresh, &f->links, link_compare);
	return fresh;
}

static int file_type(mode_t mode)
{
	static const unsigned char types[16] = {
	        [S_IFREG >> 12] = EXT2_FT_REG_FILE, [S_IFCHR >> 12] = EXT2_FT_CHRDEV,
	        [S_IFBLK >> 12] = EXT2_FT_BLKDEV,   [S_IFIFO >> 12] = EXT2_FT_FIFO,
	        [S_IFSOCK >> 12] = EXT2_FT_SOCK,    [S_IFLNK >> 12] = EXT2_FT_SYMLINK,
	};
	return types[(mode & S_IFMT) >> 12];
}

static errcode_t add_name(struct ext4_fs *f, ext2_ino_t dir, const char *name, ext2_ino_t ino,
                          mode_t mode)
{
	errcode_t r = ext2fs_link(f->fs, dir, name, ino, file_type(mode));

	if (r != EXT2_ET_DIR_NO_SPACE)
		return r;
	r = ext2fs_expand_dir(f->fs, dir);
	return r ? r : ext2fs_link(f->fs, dir, name, ino, file_type(mode));
}

static errcode_t one_link_more(struct ext4_fs *f, ext2_ino_t ino)
{
	struct ext2_inode inode;
	errcode_t r = ext2fs_read_inode(f->fs, ino, &inode);

	inode.i_links_count++;
	return r ? r : ext2fs_write_inode(f->fs, ino, &inode);
}

static int lay_leaf(struct ext4_fs *f, int dir, const char *name, const struct stat *st,
                    ext2_ino_t parent, struct err *e)
{
	struct ext4_link *shared = st->st_nlink > 1 ? link_of(f, st) : NULL;
	ext2_ino_t ino = shared ? shared->ino : 0;
	errcode_t code = 0;

	if (ino) {
		code = one_link_more(f, ino);
	} else {
		int r = ext4_create(f, dir, name, st, parent, &ino, e);
		if (r < 0)
			return r;
	}
	if (shared)
		shared->ino = ino;
	if (!code)
		code = add_name(f, parent, name, ino, st->st_mode);
	return code ? ext4_fail(f, code, e, "naming") : 0;
}

static int make_dir(struct ext4_fs *f, ext2_ino_t parent, const char *name, ext2_ino_t *ret,
                    struct err *e)
{
	errcode_t code = ext2fs_mkdir(f->fs, parent, 0, name);

	if (code == EXT2_ET_DIR_NO_SPACE) {
		code = ext2fs_expand_dir(f->fs, parent);
		if (!code)
			code = ext2fs_mkdir(f->fs, parent, 0, name);
	}
	if (!code)
		code = ext2fs_lookup(f->fs, parent, name, (int)strlen(name), NULL, ret);
	return code ? ext4_fail(f, code, e, "making") : 0;
}

static int lay_dir(struct ext4_fs *f, int dir, ext2_ino_t ino, unsigned depth, struct err *e);

static int lay_below(struct ext4_fs *f, int dir, const char *name, ext2_ino_t parent,
                     ext2_ino_t there, unsigned depth, struct err *e)
{
	scope_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return ext4_fail(f, errno, e, "opening");
	if (there && stack_is_opaque(fd))
		r = ext4_empty(f, there, e);
	if (!there)
		r = make_dir(f, parent, name, &there, e);
	return r < 0 ? r : lay_dir(f, fd, there, depth + 1, e);
}

/* 1: a directory is there, 0: nothing is. Removes what a non-directory replaces, and what a
 * directory can't merge with. */
static int make_way(struct ext4_fs *f, const char *name, const struct stat *st, ext2_ino_t parent,
                    ext2_ino_t *there, struct err *e)
{
	struct ext2_inode inode;
	errcode_t code = ext2fs_lookup(f->fs, parent, name, (int)strlen(name), NULL, there);

	if (code == EXT2_ET_FILE_NOT_FOUND) {
		*there = 0;
		return 0;
	}
	if (!code)
		code = ext2fs_read_inode(f->fs, *there, &inode);
	if (code)
		return ext4_fail(f, code, e, "looking up");
	if (S_ISDIR(st->st_mode) && LINUX_S_ISDIR(inode.i_mode))
		return 1;
	int r = ext4_remove(f, parent, name, *there, e);
	*there = 0;
	return r;
}

static int lay_entry(struct ext4_fs *f, int dir, const char *name, ext2_ino_t parent,
                     unsigned depth, struct err *e)
{
	struct stat st;
	ext2_ino_t there;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ext4_fail(f, errno, e, "looking at");
	int r = make_way(f, name, &st, parent, &there, e);
	if (r < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == 0))
		return r;
	if (S_ISDIR(st.st_mode))
		return lay_below(f, dir, name, parent, there, depth, e);
	return lay_leaf(f, dir, name, &st, parent, e);
}

static int finish_dir(struct ext4_fs *f, int dir, ext2_ino_t ino, struct err *e)
{
	struct stat st;
	struct ext2_inode inode;
	errcode_t code = fstat(dir, &st) < 0 ? errno : ext2fs_read_inode(f->fs, ino, &inode);

	if (!code) {
		ext4_attributes(f, &st, &inode);
		code = ext2fs_write_inode(f->fs, ino, &inode);
	}
	return code ? ext4_fail(f, code, e, "writing") : ext4_xattrs(f, dir, ".", ino, e);
}

static int lay_dir(struct ext4_fs *f, int dir, ext2_ino_t ino, unsigned depth, struct err *e)
{
	scope_listing struct listing l = {0};
	int r = depth > EXT4_DEPTH ? -ELOOP : listing_read(dir, &l);

	if (r < 0)
		return ext4_fail(f, -r, e, "listing");
	for (int i = 0; i < l.n; i++) {
		const char *name = l.items[i]->d_name;
		if (ino == EXT2_ROOT_INO && str_eq(name, "lost+found"))
			continue;
		size_t before = ext4_enter(f, name);
		r = lay_entry(f, dir, name, ino, depth, e);
		ext4_leave(f, before);
		if (r < 0)
			return r;
	}
	return finish_dir(f, dir, ino, e);
}

int ext4_lay(const struct ext4_spec *s, int tree, struct err *e)
{
	scope_ext4 struct ext4_fs f = {.epoch = s->epoch};
	int r = ext4_open(s->file, s->offset, EXT2_FLAG_RW, &f, e);

	if (r < 0)
		return r;
	f.path[0] = '\0';
	f.arena = arena_new();
	f.piece = malloc(EXT4_PIECE);
	if (!f.piece)
		abort();
	f.fs->now = s->epoch;
	/* Backup superblocks keep what mke2fs wrote: e2fsck doesn't compare more than that. */
	f.fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;
	f.fs->super->s_kbytes_written = 0; /* a statistic, not content */
	r = lay_dir(&f, tree, EXT2_ROOT_INO, 0, e);
	if (r < 0)
		return r;
	/* Closing would not tell that what is left in the cache can't be written, and discards pass it by. */
	errcode_t code = io_channel_set_options(f.fs->io, "cache=off");
	if (!code)
		code = ext4_forget(&f);
	/* Syncing it to disk is up to the caller. */
	if (!code)
		code = ext2fs_close2(f.fs, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code)
		return ext4_fail(&f, code, e, "finishing");
	f.fs = NULL; /* freed */
	return 0;
}
