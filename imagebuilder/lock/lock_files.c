/* SPDX-License-Identifier: Apache-2.0 */
/* A lock's files: what components fetch, in the store by their digests. */
#include "lock/lock_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "store/objects.h"

#define FILE_MS                                                                                    \
	600000 /* one file, including retries; also the longest wait for a missing network */

/* ---- locking them ---- */

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct lock_file *)a)->uri, ((const struct lock_file *)b)->uri);
}

static int learn(struct cloud *c, const struct component_fetch *f, struct arena *a,
                 const char **ret, struct err *e)
{
	const struct fetch what = {.uri = f->uri, .max = COMPONENT_FILE_MAX, .plain = f->plain};
	scope_arena struct arena *own = arena_new();
	struct blob content;
	char hex[SHA256_HEX];

	log_notice("fetching '%s'", f->uri);
	if (str_starts(f->uri, "http://"))
		log_warning("'%s' comes by http: the lock holds what answered today, whoever that "
		            "was",
		            f->uri);
	cloud_expect_owner(c, f->owner);
	int r = fetch_memory(c, &what, own, &content, clock_in_ms(FILE_MS), e);
	cloud_expect_owner(c, NULL);
	if (r < 0)
		return err_wrap(e, "%s:%u:%u: locking '%s'", f->at->file, f->at->line, f->at->col,
		                f->uri);
	digest_hex(content.data, content.len, hex);
	*ret = arena_strdup(a, hex);
	return 0;
}

static int add_found(struct component_fetches *l, const struct component_fetch *many,
                     const char *uri, struct arena *a, struct err *e)
{
	if (component_fetches_find(l, uri))
		return 0;
	int r = component_fetches_add(l, uri, NULL, many->at, a, e);
	if (r < 0)
		return r;
	struct component_fetch *f = component_fetches_find(l, uri);
	f->owner = many->owner;
	f->found = true;
	return 0;
}

static int list_many(struct cloud *c, const struct component_fetch *many,
                     struct component_fetches *ret, struct arena *a, struct err *e)
{
	const char *const *uris;
	size_t n;

	log_notice("listing '%s'", many->uri);
	cloud_expect_owner(c, many->owner);
	int r = s3_list(c, many->uri, a, &uris, &n, clock_in_ms(FILE_MS), e);
	cloud_expect_owner(c, NULL);
	if (r < 0)
		return err_wrap(e, "%s:%u:%u: locking '%s'", many->at->file, many->at->line,
		                many->at->col, many->uri);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_found(ret, many, uris[i], a, e);
	return r;
}

/* One handle for all files, opened for the first that needs it. */
struct locking {
	const struct lock_source *from;
	struct cloud *cloud;
	struct arena *arena;
};

static int open_cloud(struct locking *g, struct err *e)
{
	return g->cloud ? 0 : g->from->open(g->from->ctx, &g->cloud, e);
}

/* The list with the objects that are there today in the place of each many. */
static int expand_all(struct locking *g, const struct component_fetches *l,
                      struct component_fetches *ret, struct err *e)
{
	struct component_fetches all = {0};

	for (size_t i = 0; i < l->n; i++)
		if (!s3_is_many(l->items[i].uri)) {
			all.items = arena_grow(g->arena, all.items, &all.n, sizeof *all.items);
			all.items[all.n - 1] = l->items[i];
		}
	for (size_t i = 0; i < l->n; i++) {
		if (!s3_is_many(l->items[i].uri))
			continue;
		int r = open_cloud(g, e);
		if (r < 0)
			return r;
		r = list_many(g->cloud, &l->items[i], &all, g->arena, e);
		if (r < 0)
			return r;
	}
	*ret = all;
	return 0;
}

static int find_files(struct locking *g, const struct component_fetches *l, struct lock *ret,
                      struct err *e)
{
	struct component_fetches all;
	int r = expand_all(g, l, &all, e);

	if (r < 0)
		return r;
	if (all.n > LOCK_FILES_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "locking %zu files: expected at most %d", all.n, LOCK_FILES_MAX);
	struct lock_file *files = arena_array(g->arena, all.n, sizeof *files);
	for (size_t i = 0; i < all.n; i++) {
		const struct component_fetch *f = &all.items[i];

		files[i] = (struct lock_file){f->uri, f->sha256};
		if (f->sha256)
			continue;
		r = open_cloud(g, e);
		if (r < 0)
			return r;
		r = learn(g->cloud, f, g->arena, &files[i].sha256, e);
		if (r < 0)
			return r;
	}
	if (all.n)
		qsort(files, all.n, sizeof *files, by_uri);
	ret->n_files = all.n;
	ret->files = files;
	return 0;
}

int lock_find_files(const struct component_fetches *l, const struct lock_source *from,
                    struct arena *a, struct lock *ret, struct err *e)
{
	struct locking g = {.from = from, .arena = a};
	int r = find_files(&g, l, ret, e);

	cloud_close(g.cloud);
	return r;
}

/* ---- using them ---- */

static const char *locked_digest(const struct lock *lock, const char *uri)
{
	for (size_t i = 0; i < lock->n_files; i++)
		if (str_eq(lock->files[i].uri, uri))
			return lock->files[i].sha256;
	return NULL;
}

static int not_locked(const struct lock *lock, const struct component_fetch *f, struct err *e)
{
	return doc_err(f->at, e, REASON_INPUT_REQUIRED,
	               lock ? "'%s' is not in '%s': make the lock anew by `hpc-imagebuild lock`"
	                    : "'%s' has no SHA256 checksum here, and a build fetches only what it "
	                      "knows: lock the recipe by `hpc-imagebuild lock`%s",
	               f->uri, lock ? lock->file : "");
}

static int fix_one(const struct lock *lock, struct component_fetch *f, struct err *e)
{
	const char *sha256 = lock ? locked_digest(lock, f->uri) : f->sha256;

	if (!sha256)
		return not_locked(lock, f, e);
	if (f->sha256 && !str_eq(f->sha256, sha256))
		return doc_err(f->at, e, REASON_INPUT_RANGE,
		               "'%s' has another checksum in '%s': make the lock anew by "
		               "`hpc-imagebuild lock`",
		               f->uri, lock->file);
	f->sha256 = sha256;
	return 0;
}

/* The objects that were below the prefix when the lock was made. */
static int fix_many(const struct lock *lock, const struct component_fetch *many,
                    struct component_fetches *ret, struct arena *a, struct err *e)
{
	const char *below = arena_memdup(a, many->uri, strlen(many->uri) - 1);
	size_t before = ret->n;
	bool any = false;

	for (size_t i = 0; lock && i < lock->n_files; i++) {
		if (!str_starts(lock->files[i].uri, below))
			continue;
		int r = add_found(ret, many, lock->files[i].uri, a, e);
		if (r < 0)
			return r;
		any = true;
	}
	if (!any)
		return not_locked(lock, many, e);
	for (size_t i = before; i < ret->n; i++) {
		int r = fix_one(lock, &ret->items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int lock_fix_files(const struct lock *lock, struct component_fetches *l, struct arena *a,
                   struct err *e)
{
	struct component_fetches all = {0};
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		if (s3_is_many(l->items[i].uri))
			continue;
		all.items = arena_grow(a, all.items, &all.n, sizeof *all.items);
		all.items[all.n - 1] = l->items[i];
		r = fix_one(lock, &all.items[all.n - 1], e);
	}
	for (size_t i = 0; i < l->n && r == 0; i++)
		if (s3_is_many(l->items[i].uri))
			r = fix_many(lock, &l->items[i], &all, a, e);
	if (r < 0)
		return r;
	*l = all;
	return 0;
}

static bool open_object(const char *path, struct component_fetch *f)
{
	char hex[SHA256_HEX];
	struct err none;

	if (file_sha256(AT_FDCWD, path, hex, &none) < 0 || !str_eq(hex, f->sha256))
		return false;
	objects_touch(path);
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return f->fd >= 0;
}

static int fetch_object(struct cloud *c, const char *path, const struct component_fetch *f,
                        uint64_t deadline, struct err *e)
{
	const struct fetch what = {
	        .uri = f->uri, .sha256 = f->sha256, .max = COMPONENT_FILE_MAX, .plain = f->plain};
	const struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};
	scope_file_new struct file_new fresh = FILE_NEW_INIT;
	int r = file_new_open(&fresh, AT_FDCWD, path, e);

	if (r < 0)
		return r;
	cloud_expect_owner(c, f->owner);
	r = fetch_file(c, &what, &fresh, deadline, e);
	cloud_expect_owner(c, NULL);
	if (r < 0)
		return r;
	return file_new_commit(&fresh, &attr, e);
}

static int fetch_with(struct cloud **cloud, const struct lock_source *from, const char *path,
                      const struct component_fetch *f, uint64_t deadline, struct err *e)
{
	if (!*cloud) {
		int r = from->open(from->ctx, cloud, e);
		if (r < 0)
			return r;
	}
	return fetch_object(*cloud, path, f, clock_min(deadline, clock_in_ms(FILE_MS)), e);
}

static int open_file(struct component_fetch *f, const struct store *s, struct cloud **cloud,
                     const struct lock_source *from, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *path = arena_printf(a, "%s/objects/%s", s->path, f->sha256);

	if (open_object(path, f))
		return 0;
	log_notice("fetching '%s'", f->uri);
	int r = fetch_with(cloud, from, path, f, deadline, e);
	if (r < 0)
		return err_wrap(e, "%s:%u:%u: fetching '%s'", f->at->file, f->at->line, f->at->col,
		                f->uri);
	return open_object(path, f)
	               ? 0
	               : err_errno(e, EIO, "opening '%s', which was just fetched", path);
}

int lock_open_files(struct component_fetches *l, const struct store *s,
                    const struct lock_source *from, uint64_t deadline, struct err *e)
{
	struct cloud *cloud = NULL;
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++)
		r = open_file(&l->items[i], s, &cloud, from, deadline, e);
	cloud_close(cloud);
	return r;
}

void lock_close_files(struct component_fetches *l)
{
	for (size_t i = 0; i < l->n; i++)
		scope_close(&l->items[i].fd);
}
