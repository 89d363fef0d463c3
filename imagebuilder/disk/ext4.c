/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/ext4.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "disk/ext4_own.h"
#include "store/listing.h"
#include "store/stack.h"

/* What GRUB 2.06 and kernels from 4.18 on read: no orphan_file, no metadata_csum_seed. */
#define FEATURES                                                                                   \
	"none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"          \
	"sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum"

int ext4_make(struct host *tools, const struct ext4_spec *s, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {
	        "mke2fs",
	        "-q",
	        "-F",
	        "-b",
	        "4096",
	        "-I",
	        "256",
	        "-i",
	        "16384",
	        "-m",
	        "1",
	        "-O",
	        FEATURES,
	        "-U",
	        s->uuid,
	        "-L",
	        s->label,
	        "-E",
	        arena_printf(a,
	                     "offset=%llu,hash_seed=%s,root_owner=0:0,lazy_itable_init=0,"
	                     "lazy_journal_init=1",
	                     (unsigned long long)s->offset, s->hash_seed),
	        s->file,
	        arena_printf(a, "%llu", (unsigned long long)(s->size / EXT4_BLOCK)),
	        NULL,
	};
	const char *const env[] = {
	        "MKE2FS_CONFIG=/dev/null",
	        arena_printf(a, "E2FSPROGS_FAKE_TIME=%lld", (long long)s->epoch),
	        NULL,
	};
	struct host_exec x = {.argv = argv, .env = env, .changes = true, .deadline = deadline};
	struct host_result out;

	return host_run_ok(tools, &x, a, &out, e);
}

int ext4_fail(const struct ext4_fs *f, errcode_t code, struct err *e, const char *doing)
{
	if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENOSPC, "%s '%s': no space left",
		               doing, f->path);
	if (code > 0 && code < 4096)
		return err_errno(e, (int)code, "%s '%s'", doing, f->path);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EIO, "%s '%s': %s", doing, f->path,
	               error_message(code));
}

int ext4_open(const char *file, uint64_t offset, int flags, struct ext4_fs *f, struct err *e)
{
	char options[64];

	snprintf(f->path, sizeof f->path, "%s", file);
	initialize_ext2_error_table();
	snprintf(options, sizeof options, "offset=%llu", (unsigned long long)offset);
	errcode_t code = ext2fs_open2(file, options, flags | EXT2_FLAG_64BITS, 0, 0,
	                              unix_io_manager, &f->fs);
	if (!code)
		code = ext2fs_read_bitmaps(f->fs);
	if (code)
		return ext4_fail(f, code, e, "opening the file system in");
	return 0;
}

void ext4_close(struct ext4_fs *f)
{
	if (f->fs)
		ext2fs_free(f->fs);
	f->fs = NULL;
	tdestroy(f->links, free);
	f->links = NULL;
	free(f->piece);
	arena_close(f->arena);
}
int ext4_space(const struct ext4_spec *s, struct ext4_need *ret, struct err *e)
{
	scope_ext4 struct ext4_fs f = {0};
	int r = ext4_open(s->file, s->offset, 0, &f, e);

	if (r < 0)
		return r;
	ret->bytes = ext2fs_free_blocks_count(f.fs->super) * EXT4_BLOCK;
	ret->inodes = f.fs->super->s_free_inodes_count;
	return 0;
}

size_t ext4_enter(struct ext4_fs *f, const char *name)
{
	size_t before = f->path_len;
	int n = snprintf(f->path + before, sizeof f->path - before, "/%s", name);

	f->path_len += n < 0 ? 0 : (size_t)n;
	if (f->path_len >= sizeof f->path)
		f->path_len = sizeof f->path - 1;
	return before;
}

void ext4_leave(struct ext4_fs *f, size_t before)
{
	f->path_len = before;
	f->path[before] = '\0';
}

static int link_compare(const void *a, const void *b)
{
	const struct ext4_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source;
}

/* The entry of a file with several names; its ino is 0 when this is the first of them. */
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

/* 1: a directory is there, 0: nothing is. Whatever a non-directory replaces is removed. */
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
	f.piece = malloc(EXT4_PIECE);
	if (!f.piece)
		abort();
	f.fs->now = s->epoch;
	/* The copies at other places keep what mke2fs wrote: e2fsck compares no more than that. */
	f.fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;
	f.fs->super->s_kbytes_written = 0; /* statistics of how, not of what */
	f.fs->io->flags |= CHANNEL_FLAGS_WRITETHROUGH;
	r = lay_dir(&f, tree, EXT2_ROOT_INO, 0, e);
	if (r < 0)
		return r;
	/* What makes it last is up to whoever has the file. */
	errcode_t code = ext2fs_close2(f.fs, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code)
		return ext4_fail(&f, code, e, "finishing");
	f.fs = NULL; /* freed */
	return 0;
}

static int measure_dir(int dir, unsigned depth, struct ext4_need *need)
{
	scope_listing struct listing l = {0};
	int r = depth > EXT4_DEPTH ? -ELOOP : listing_read(dir, &l);

	for (int i = 0; r >= 0 && i < l.n; i++) {
		struct stat st;
		if (fstatat(dir, l.items[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		need->inodes++;
		need->bytes += S_ISDIR(st.st_mode) ? EXT4_BLOCK
		                                   : ((uint64_t)st.st_size + EXT4_BLOCK - 1) /
		                                             EXT4_BLOCK * EXT4_BLOCK;
		if (!S_ISDIR(st.st_mode))
			continue;
		scope_fd int fd = openat(dir, l.items[i]->d_name,
		                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : measure_dir(fd, depth + 1, need);
	}
	return r;
}

int ext4_measure(int tree, struct ext4_need *ret, struct err *e)
{
	struct ext4_need need = {0};
	int r = measure_dir(tree, 0, &need);

	if (r < 0)
		return err_errno(e, -r, "measuring the tree");
	*ret = need;
	return 0;
}
