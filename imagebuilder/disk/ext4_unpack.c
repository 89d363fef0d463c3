/* SPDX-License-Identifier: Apache-2.0 */
/* Extracts a file system to a directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/xattrs.h"
#include "base/scope.h"
#include "disk/ext4.h"
#include "disk/ext4_read.h"

/* A file with several names: where its first name is, below the tree. */
struct named {
	ext2_ino_t ino;
	char path[];
};

static int refuse(struct unpack *u, struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP, "unpacking '%s': %s",
	               u->f.path, what);
}

/* ---- creating files ---- */

static int make_file(struct unpack *u, int dir, const char *name, struct node *n, struct err *e)
{
	scope_fd int fd =
	        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? ext4_fail(&u->f, errno, e, "making") : unpack_content(u, fd, n, e);
}

static int make_link(struct unpack *u, int dir, const char *name, struct node *n, struct err *e)
{
	char target[PATH_MAX];
	size_t len = (size_t)node_size(n);

	if (node_size(n) >= sizeof target)
		return unpack_bad(u, e, "its target is too long");
	if (ext2fs_is_fast_symlink(node_small(n)) && len < sizeof n->inode.i_block) {
		memcpy(target, n->inode.i_block, len);
	} else {
		int r = unpack_small(u, n, sizeof target - 1, &len, e);
		if (r < 0)
			return r;
		memcpy(target, u->f.piece, len);
	}
	target[len] = '\0';
	return symlinkat(target, dir, name) < 0 ? ext4_fail(&u->f, errno, e, "making") : 0;
}

/* The second block has the numbers that don't fit into the first. */
static dev_t device_of(const struct ext2_inode_large *i)
{
	uint32_t old = i->i_block[0], wide = i->i_block[1];

	if (old)
		return makedev(old >> 8 & 0xff, old & 0xff);
	return makedev((wide & 0xfff00) >> 8, (wide & 0xff) | (wide >> 12 & 0xfff00));
}

static int make_node(struct unpack *u, int dir, const char *name, struct node *n, struct err *e)
{
	mode_t mode = n->inode.i_mode;
	dev_t device = S_ISCHR(mode) || S_ISBLK(mode) ? device_of(&n->inode) : 0;

	if (u->base &&
	    (S_ISBLK(mode) || (S_ISCHR(mode) && (!device || !str_starts(u->f.path, "/dev/")))))
		return refuse(u, e, "it is a device, which an image gets when it boots");
	return mknodat(dir, name, (mode & S_IFMT) | 0600, device) < 0
	               ? ext4_fail(&u->f, errno, e, "making")
	               : 0;
}

/* ---- attributes ---- */

struct setting {
	struct unpack *u;
	struct ext2_xattr_handle *handle;
	int dir;
	const char *name;
	int fault; /* errno */
	errcode_t code;
};

static int set_xattr(char *name, char *raw, size_t raw_len, void *ctx)
{
	struct setting *s = ctx;
	void *value = NULL;
	size_t len;

	(void)raw, (void)raw_len; /* for ACLs these are not in the form setxattr(2) expects */
	if (!xattrs_takes(name) || str_eq(name, "system.data"))
		return 0;
	s->code = ext2fs_xattr_get(s->handle, name, &value, &len);
	if (!s->code)
		s->fault = -xattrs_set(s->dir, s->name, &(struct xattr){name, {value, len}});
	ext2fs_free_mem(&value);
	return s->code || s->fault ? XATTR_ABORT : 0;
}

static int set_xattrs(struct unpack *u, int dir, const char *name, struct node *n, struct err *e)
{
	struct setting s = {.u = u, .dir = dir, .name = name};
	errcode_t code = ext2fs_xattrs_open(u->f.fs, n->ino, &s.handle);
	if (code)
		return unpack_fail(u, code, e, "reading the attributes of");
	code = ext2fs_xattrs_read(s.handle);
	if (!code)
		code = ext2fs_xattrs_iterate(s.handle, set_xattr, &s);
	ext2fs_xattrs_close(&s.handle);
	if (s.fault)
		return ext4_fail(&u->f, s.fault, e, "setting the attributes of");
	if (code || s.code)
		return unpack_fail(u, code ? code : s.code, e, "reading the attributes of");
	return 0;
}

static struct timespec mtime_of(const struct node *n)
{
	const struct ext2_inode_large *i = &n->inode;
	struct timespec t = {.tv_sec = (int32_t)i->i_mtime};

	/* If the inode is large enough: two extra bits of seconds, then the nanoseconds. */
	if (i->i_extra_isize >=
	    offsetof(struct ext2_inode_large, i_mtime_extra) + 4 - EXT2_GOOD_OLD_INODE_SIZE) {
		t.tv_sec += (time_t)(i->i_mtime_extra & 3) << 32;
		t.tv_nsec = (long)(i->i_mtime_extra >> 2) % 1000000000;
	}
	return t;
}

/* The owner first: chown(2) removes set-user-ID and capabilities. */
static int set_attributes(struct unpack *u, int dir, const char *name, struct node *n,
                          struct err *e)
{
	const struct timespec t = mtime_of(n), times[2] = {t, t};
	uid_t uid = n->inode.i_uid | (uid_t)n->inode.i_uid_high << 16;
	gid_t gid = n->inode.i_gid | (gid_t)n->inode.i_gid_high << 16;
	mode_t mode = n->inode.i_mode;

	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(mode) && fchmodat(dir, name, mode & 07777, 0) < 0))
		return ext4_fail(&u->f, errno, e, "setting the owner of");
	int r = set_xattrs(u, dir, name, n, e);
	if (r < 0)
		return r;
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return ext4_fail(&u->f, errno, e, "dating");
	return 0;
}

/* ---- names ---- */

static int by_ino(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* 1: it already has a name, and now also this one; 0: this is its first. */
static int link_again(struct unpack *u, int dir, const char *name, ext2_ino_t ino, struct err *e)
{
	struct named key = {.ino = ino}, *fresh;
	struct named **found = tfind(&key, &u->f.links, by_ino);

	if (found)
		return linkat(u->tree, (*found)->path, dir, name, 0) < 0
		               ? ext4_fail(&u->f, errno, e, "linking")
		               : 1;
	size_t len = strlen(u->f.path + 1);
	fresh = malloc(sizeof *fresh + len + 1);
	if (!fresh)
		abort();
	fresh->ino = ino;
	memcpy(fresh->path, u->f.path + 1, len + 1);
	tsearch(fresh, &u->f.links, by_ino);
	return 0;
}

static int unpack_dir(struct unpack *u, int dir, ext2_ino_t ino, unsigned depth, struct err *e);

static int make_dir(struct unpack *u, int dir, const char *name, struct node *n, unsigned depth,
                    struct err *e)
{
	if (mkdirat(dir, name, 0700) < 0)
		return ext4_fail(&u->f, errno, e, "making");
	scope_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? ext4_fail(&u->f, errno, e, "opening")
	              : unpack_dir(u, fd, n->ino, depth + 1, e);
}

static int make(struct unpack *u, int dir, const char *name, struct node *n, unsigned depth,
                struct err *e)
{
	mode_t mode = n->inode.i_mode;

	if (n->inode.i_flags & EXT4_ENCRYPT_FL)
		return refuse(u, e, "it is encrypted");
	if (!S_ISDIR(mode) && n->inode.i_links_count > 1) {
		int r = link_again(u, dir, name, n->ino, e);
		if (r)
			return r < 0 ? r : 0;
	}
	int r = -EBADMSG;
	if (S_ISDIR(mode))
		r = make_dir(u, dir, name, n, depth, e);
	else if (S_ISREG(mode))
		r = make_file(u, dir, name, n, e);
	else if (S_ISLNK(mode))
		r = make_link(u, dir, name, n, e);
	else if (S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode))
		r = make_node(u, dir, name, n, e);
	else
		return unpack_bad(u, e, "its type is unknown");
	return r < 0 ? r : set_attributes(u, dir, name, n, e);
}

static int read_node(struct unpack *u, ext2_ino_t ino, struct node *ret, struct err *e)
{
	memset(ret, 0, sizeof *ret);
	ret->ino = ino;
	errcode_t code = ext2fs_read_inode_full(u->f.fs, ino, node_small(ret), sizeof ret->inode);
	return code ? unpack_fail(u, code, e, "reading") : 0;
}

/* One directory's names, all read before any is processed. */
struct names {
	struct arena *arena;
	size_t n;
	struct name {
		ext2_ino_t ino;
		const char *name;
	} * items;
	bool bad;
};

static int add_name(struct ext2_dir_entry *d, int offset, int blocksize, char *buffer, void *ctx)
{
	struct names *l = ctx;
	size_t len = (size_t)ext2fs_dirent_name_len(d);
	const char *name = arena_memdup(l->arena, d->name, len);

	(void)offset, (void)blocksize, (void)buffer;
	if (str_eq(name, ".") || str_eq(name, ".."))
		return 0;
	l->bad = l->bad || len == 0 || strlen(name) != len || strchr(name, '/');
	l->items = arena_grow(l->arena, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] = (struct name){d->inode, name};
	return l->bad ? DIRENT_ABORT : 0;
}

static int unpack_name(struct unpack *u, int dir, const struct name *name, unsigned depth,
                       struct err *e)
{
	struct node n;
	int r = read_node(u, name->ino, &n, e);

	if (r < 0)
		return r;
	return make(u, dir, name->name, &n, depth, e);
}

static int unpack_dir(struct unpack *u, int dir, ext2_ino_t ino, unsigned depth, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct names l = {.arena = a};
	errcode_t code = depth > EXT4_DEPTH
	                         ? ELOOP
	                         : ext2fs_dir_iterate(u->f.fs, ino, 0, NULL, add_name, &l);

	if (code)
		return unpack_fail(u, code, e, "listing");
	if (l.bad)
		return unpack_bad(u, e, "a name in it is invalid");
	for (size_t i = 0; i < l.n; i++) {
		const char *name = l.items[i].name;

		if (ino == EXT2_ROOT_INO && str_eq(name, "lost+found"))
			continue;
		size_t before = ext4_enter(&u->f, name);
		int r = strlen(u->f.path) == before + 1 + strlen(name)
		                ? unpack_name(u, dir, &l.items[i], depth, e)
		                : ext4_fail(&u->f, ENAMETOOLONG, e, "unpacking");
		if (r < 0)
			return r;
		ext4_leave(&u->f, before);
	}
	return 0;
}

static int unpack_root(struct unpack *u, struct err *e)
{
	struct node root;
	int r = unpack_dir(u, u->tree, EXT2_ROOT_INO, 0, e);

	if (r < 0)
		return r;
	r = read_node(u, EXT2_ROOT_INO, &root, e);
	if (r < 0)
		return r;
	return set_attributes(u, u->tree, ".", &root, e);
}

int ext4_unpack(const char *file, uint64_t offset, int tree, uint64_t ceiling, bool base,
                struct err *e)
{
	struct unpack u = {.tree = tree, .base = base, .ceiling = ceiling};
	int r = ext4_open(file, offset, 0, &u.f, e);

	if (r < 0) {
		ext4_close(&u.f);
		return r;
	}
	u.f.path[0] = '\0';
	u.f.piece = malloc(EXT4_PIECE);
	if (!u.f.piece)
		abort();
	r = unpack_root(&u, e);
	ext4_close(&u.f);
	return r;
}
