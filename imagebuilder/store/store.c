/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "data/json.h"
#include "host/tree.h"
#include "store/store_own.h"

#define META_MAX      (64 * 1024)
#define ENTRIES_MAX   65536
#define SCRATCH_TRIES 16

/* Trees hold what the image has, with its set-user-ID programs: root's to see. But whether there is
 * a layer of some key anybody may ask (each of them is 0700). */
static const struct part {
	const char *name;
	mode_t mode;
} parts[] = {{"layers", 0711},  {"work", 0700},    {"failed", 0700}, {"locks", 0700},
             {"outputs", 0700}, {"recipes", 0700}, {"objects", 0700}};

static int make_dirs(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = path; slash;) {
		slash = strchr(slash + 1, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		if (len >= sizeof part)
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int open_real(const char *path, struct store *s)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return -errno;
	int n = snprintf(s->path, sizeof s->path, "%s", real);
	if (n < 0 || (size_t)n >= sizeof s->path)
		return -ENAMETOOLONG;
	s->fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

int store_open(const char *path, struct store *ret, struct err *e)
{
	struct store s = STORE_INIT;
	int r = make_dirs(path);

	if (r == 0)
		r = open_real(path, &s);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		if (mkdirat(s.fd, parts[i].name, parts[i].mode) < 0 && errno != EEXIST)
			r = -errno;
	if (r < 0) {
		scope_close(&s.fd);
		return err_errno(e, -r, "making the store '%s'", path);
	}
	*ret = s;
	return 0;
}

int store_look(const char *path, struct store *ret, struct err *e)
{
	struct store s = STORE_INIT;
	int r = open_real(path, &s);

	if (r < 0 && r != -ENOENT)
		return err_errno(e, -r, "opening the store '%s'", path);
	*ret = s;
	return 0;
}

int store_have(const struct store *s, const char *key)
{
	char path[SHA256_HEX + 16];
	struct stat st;

	if (s->fd < 0)
		return 0;
	snprintf(path, sizeof path, "layers/%s", key);
	/* It gets there whole. */
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

void store_close(struct store *s)
{
	scope_close(&s->fd);
}

/* ---- trees ---- */

void store_remove(const char *path)
{
	struct err ignored;

	(void)tree_remove(AT_FDCWD, path, true, &ignored);
}

static uint64_t bytes_of(const struct stat *st)
{
	bool shared = st->st_nlink > 1 && !S_ISDIR(st->st_mode);

	return (uint64_t)st->st_blocks * 512 / (shared ? (uint64_t)st->st_nlink : 1);
}

static int measure_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	uint64_t *sum = ctx;

	(void)e;
	*sum += bytes_of(at->st);
	return TREE_GO;
}

uint64_t store_measure(const char *path)
{
	scope_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t sum = 0;
	const struct tree_walk walk = {.visit = measure_one,
	                               .ctx = &sum,
	                               .one_fs = true,
	                               .changing = true,
	                               .unreadable = true};
	struct stat st;
	struct err ignored;

	if (dir < 0 || fstat(dir, &st) < 0)
		return 0;
	sum = bytes_of(&st);
	(void)tree_walk(dir, &walk, &ignored);
	return sum;
}

/* ---- locks ---- */

int store_lock(struct store *s, const char *key, int how, struct err *e)
{
	char name[SHA256_HEX + 16];

	snprintf(name, sizeof name, "locks/%s", key);
	scope_fd int fd = openat(s->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "locking the layer %.12s", key);
	if (flock(fd, how | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY
		                            : err_errno(e, errno, "locking the layer %.12s", key);
	return steal_fd(&fd);
}

/* A lock tells that somebody has it: process ids don't, where containers share a store. */
static int take_scratch(struct scratch *c)
{
	struct stat here, named;

	if (!mkdtemp(c->path))
		return -errno;
	c->lock = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock < 0 || flock(c->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == ENOENT || errno == EWOULDBLOCK ? -EAGAIN : -errno;
	/* Pruning may have come between. */
	return fstat(c->lock, &here) == 0 && stat(c->path, &named) == 0 &&
	                       here.st_ino == named.st_ino
	               ? 0
	               : -EAGAIN;
}

int store_scratch(struct store *s, struct scratch *ret, struct err *e)
{
	int r = -EAGAIN;

	for (int i = 0; i < SCRATCH_TRIES && r == -EAGAIN; i++) {
		scope_close(&ret->lock);
		snprintf(ret->path, sizeof ret->path, "%s/work/scratch.XXXXXX", s->path);
		r = take_scratch(ret);
	}
	if (r == 0)
		return 0;
	scope_close(&ret->lock);
	return err_errno(e, -r, "making '%s'", ret->path);
}

void scratch_close(struct scratch *c)
{
	if (c->lock >= 0)
		store_remove(c->path);
	scope_close(&c->lock);
}

/* ---- what is there ---- */

static bool is_key(const char *name)
{
	return strlen(name) == SHA256_HEX - 1 && strspn(name, "0123456789abcdef") == SHA256_HEX - 1;
}

/* What lies beside its tree: its log, and disks begun with it, whose holes cost nothing. */
static uint64_t bytes_beside(const struct store *s, const char *key, struct arena *a)
{
	int fd = openat(s->fd, arena_printf(a, "layers/%s", key),
	                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scope_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct stat st;
	uint64_t bytes = 0;

	while (dir && (d = readdir(dir)))
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_blocks * 512;
	return bytes;
}

bool store_entry(const struct store *s, const char *key, struct arena *a, struct store_entry *ret)
{
	const char *path = arena_printf(a, "layers/%s/meta.json", key);
	struct blob text;
	struct doc *d;
	struct stat st;
	struct err ignored;

	*ret = (struct store_entry){.key = arena_strdup(a, key), .step = "?", .parent = ""};
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	ret->used = st.st_mtim.tv_sec;
	ret->used_ns = st.st_mtim.tv_nsec;
	if (file_read(s->fd, path, META_MAX, a, &text, &ignored) < 0 ||
	    json_parse(path, text, a, &d, &ignored) < 0)
		return true;
	const char *bytes = doc_text(d, "bytes");
	if (bytes)
		(void)str_u64(bytes, 0, UINT64_MAX, &ret->bytes);
	ret->all = ret->bytes + bytes_beside(s, key, a);
	ret->step = doc_text(d, "step") ? doc_text(d, "step") : "?";
	ret->parent = doc_text(d, "parent") ? doc_text(d, "parent") : "";
	return true;
}

static int by_use(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return strcmp(x->key, y->key);
}

int store_list(struct store *s, struct arena *a, struct store_entry **ret, size_t *ret_n,
               struct err *e)
{
	int fd = s->fd < 0 ? -1 : openat(s->fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct store_entry *list = NULL, one;
	struct dirent *d;
	size_t n = 0;

	if (!dir && s->fd >= 0)
		return err_errno(e, errno, "reading '%s/layers'", s->path);
	while (dir && n < ENTRIES_MAX && (d = readdir(dir))) {
		if (!is_key(d->d_name) || !store_entry(s, d->d_name, a, &one))
			continue;
		list = arena_grow(a, list, &n, sizeof *list);
		list[n - 1] = one;
	}
	if (n)
		qsort(list, n, sizeof *list, by_use);
	*ret = list;
	*ret_n = n;
	return 0;
}

/* ---- pruning ---- */

/* Removes one if nobody has it; by way of a rename, so that no half of it is ever taken for it. */
static bool take_away(struct store *s, const char *part, const char *key)
{
	char path[2400], gone[2400];

	snprintf(path, sizeof path, "%s/%s/%s", s->path, part, key);
	snprintf(gone, sizeof gone, "%s/work/%s", s->path, key);
	if (!str_eq(part, "work")) {
		store_remove(gone);
		if (rename(path, gone) < 0)
			return false;
	}
	store_remove(gone);
	return true;
}

static bool take_locked(struct store *s, const char *part, const char *key)
{
	struct err ignored;
	scope_fd int lock = store_lock(s, key, LOCK_EX, &ignored);

	return lock >= 0 && take_away(s, part, key);
}

/* Nor one that was used since it was listed: another layer may be upon it now. */
static bool take_layer(struct store *s, const struct store_entry *was)
{
	scope_arena struct arena *a = arena_new();
	struct store_entry now;
	struct err ignored;
	scope_fd int lock = store_lock(s, was->key, LOCK_EX, &ignored);

	return lock >= 0 && store_entry(s, was->key, a, &now) && now.used == was->used &&
	       now.used_ns == was->used_ns && take_away(s, "layers", was->key);
}

/* What a process that is gone has left: nobody holds it. */
static void take_leftover(struct store *s, const char *part, const char *name)
{
	char path[2600];

	snprintf(path, sizeof path, "%s/%s/%s", s->path, part, name);
	scope_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		store_remove(path);
}

static void prune_part(struct store *s, const char *part)
{
	int fd = openat(s->fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (is_key(d->d_name))
			take_locked(s, part, d->d_name);
		else if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			take_leftover(s, part, d->d_name);
	}
}

/* What is known of the layers while some are removed. */
struct pruning {
	struct store *store;
	size_t n;
	struct store_entry *list; /* the one longest unused first */
	size_t *below;            /* which it lies upon; n: the lowest, n + 1: one that is gone */
	size_t *above;            /* how many lie upon it */
	bool *done;               /* removed, or not to be had */
	uint64_t left, removed;
	size_t count;
};

static size_t find_below(const struct pruning *p, size_t i)
{
	size_t k = 0;

	if (!*p->list[i].parent)
		return p->n;
	while (k < p->n && !str_eq(p->list[k].key, p->list[i].parent))
		k++;
	return k < p->n ? k : p->n + 1;
}

static void look_around(struct pruning *p, struct arena *a)
{
	p->below = arena_array(a, p->n + 1, sizeof *p->below);
	p->above = arena_array(a, p->n + 2, sizeof *p->above);
	p->done = arena_array(a, p->n + 1, sizeof *p->done);
	for (size_t i = 0; i < p->n; i++) {
		p->left += p->list[i].all;
		p->below[i] = find_below(p, i);
		p->above[p->below[i]]++;
	}
}

/* It lies upon what is gone: made again that may be another, as a base of newer packages is. */
static bool is_stranded(const struct pruning *p, size_t i)
{
	for (size_t depth = 0; i < p->n && depth <= p->n; depth++)
		i = p->below[i];
	return i == p->n + 1;
}

/* Takes the first that nothing lies upon, of the stranded ones or of all. */
static bool take_next(struct pruning *p, bool stranded)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->done[i] || p->above[i] || (stranded && !is_stranded(p, i)))
			continue;
		p->done[i] = true;
		if (!take_layer(p->store, &p->list[i]))
			continue;
		p->above[p->below[i]]--;
		p->left -= p->list[i].all;
		p->removed += p->list[i].all;
		p->count++;
		return true;
	}
	return false;
}

int store_prune(struct store *s, uint64_t keep, uint64_t *ret_left, uint64_t *ret_bytes,
                size_t *ret_n, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct pruning p = {.store = s};
	int r = store_list(s, a, &p.list, &p.n, e);

	if (r < 0)
		return r;
	prune_part(s, "failed");
	prune_part(s, "work");
	look_around(&p, a);
	while (take_next(&p, true))
		;
	while (p.left > keep && take_next(&p, false))
		;
	*ret_left = p.left;
	*ret_bytes = p.removed;
	*ret_n = p.count;
	return 0;
}
