/* SPDX-License-Identifier: Apache-2.0 */
/* One layer: found or made, published, or kept for inspection when it failed. */
#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "data/jsonw.h"
#include "store/store_own.h"

#define LOCK_POLL_MS 50 /* flock(2) has no deadline */

static void name_paths(const struct store *s, struct layer *l, const char *part)
{
	snprintf(l->dir, sizeof l->dir, "%s/%s/%s", s->path, part, l->key);
	snprintf(l->tree, sizeof l->tree, "%s/tree", l->dir);
}

static bool is_there(const struct store *s, struct layer *l)
{
	struct stat st;

	name_paths(s, l, "layers");
	l->cached = stat(l->tree, &st) == 0;
	return l->cached;
}

/* For pruning: it was used just now. */
static void touch(const struct layer *l)
{
	char path[2400];

	snprintf(path, sizeof path, "%s/meta.json", l->dir);
	(void)utimensat(AT_FDCWD, path, NULL, 0);
}

static int prepare(const struct store *s, struct layer *l, struct err *e)
{
	char path[2400];

	name_paths(s, l, "work");
	store_remove(l->dir);
	snprintf(path, sizeof path, "%s/log", l->dir);
	if (mkdir(l->dir, 0700) < 0 || mkdir(l->tree, 0755) < 0)
		return err_errno(e, errno, "making '%s'", l->tree);
	l->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return l->log < 0 ? err_errno(e, errno, "making '%s'", path) : 0;
}

/* 1: taken; 0: another process makes it. */
static int try_open(const struct store *s, struct layer *l, struct err *e)
{
	int how = is_there(s, l) ? LOCK_SH : LOCK_EX;
	int fd = store_lock(s, l->key, how, e);

	if (fd < 0)
		return fd == -EBUSY ? 0 : fd;
	l->lock = fd;
	/* Between our check and our lock it may have appeared or been removed. */
	if (is_there(s, l) != (how == LOCK_SH)) {
		scope_close(&l->lock);
		return 0;
	}
	if (l->cached)
		touch(l);
	return 1;
}

int layer_open(const struct store *s, const char *key, uint64_t deadline, struct layer *ret,
               struct err *e)
{
	struct layer l = {.lock = -1, .log = -1};
	unsigned told = 0;
	int r;

	snprintf(l.key, sizeof l.key, "%s", key);
	while ((r = try_open(s, &l, e)) == 0) {
		if (!told++)
			log_notice("waiting for the layer %.12s, which another process has", key);
		if (!clock_sleep_ms(LOCK_POLL_MS, deadline))
			return err_set(e, ERR_BUSY, REASON_BUSY, EBUSY,
			               "waiting for the layer %.12s: another build is still making "
			               "it",
			               key);
	}
	if (r > 0)
		r = l.cached ? 0 : prepare(s, &l, e);
	if (r < 0) {
		scope_close(&l.lock);
		return r;
	}
	*ret = l;
	return 0;
}

int layer_hold(const struct store *s, const char *key, bool failed, struct layer *ret,
               struct err *e)
{
	struct layer l = {.lock = -1, .log = -1, .cached = true};
	struct stat st;

	snprintf(l.key, sizeof l.key, "%s", key);
	name_paths(s, &l, failed ? "failed" : "layers");
	l.lock = store_lock(s, l.key, LOCK_SH, e);
	if (l.lock < 0)
		return l.lock;
	if (stat(l.tree, &st) < 0) {
		scope_close(&l.lock);
		return -ENOENT;
	}
	if (!failed)
		touch(&l);
	*ret = l;
	return 0;
}

void layer_log(void *layer, const char *line)
{
	struct layer *l = layer;
	char *slot = l->tail[l->tail_n++ % LAYER_LOG_TAIL];

	str_escape(line, strlen(line), slot, sizeof l->tail[0]);
	if (l->log >= 0 && file_write_all(l->log, slot, strlen(slot)) == 0)
		(void)file_write_all(l->log, "\n", 1);
	if (l->said)
		l->said(l->said_ctx, slot);
}

static int write_meta(const struct layer *l, const char *parent, const char *step, uint64_t took_ns,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, 16384);
	struct jsonw w = {.out = &text};
	struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	uint64_t bytes;
	int r = store_measure(l->tree, &bytes, e);

	if (r < 0)
		return r;
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", 1);
	jsonw_str(&w, "key", l->key);
	jsonw_str(&w, "parent", parent);
	jsonw_str(&w, "step", step);
	jsonw_u64(&w, "took_ns", took_ns);
	jsonw_u64(&w, "bytes", bytes);
	jsonw_end(&w, '}');
	return file_replace(AT_FDCWD, arena_printf(a, "%s/meta.json", l->dir), text.data, text.len,
	                    &attr, e);
}

static void remove_in(const struct layer *l, const char *name)
{
	char path[2400];

	snprintf(path, sizeof path, "%s/%s", l->dir, name);
	store_remove(path);
}

int layer_publish(const struct store *s, struct layer *l, const char *parent, const char *step,
                  uint64_t took_ns, struct err *e)
{
	char target[2400];
	int r = write_meta(l, parent, step, took_ns, e);

	if (r < 0)
		return r;
	scope_close(&l->log);
	remove_in(l, "work");
	remove_in(l, "root");
	snprintf(target, sizeof target, "%s/layers/%s", s->path, l->key);
	/* A layer that isn't completely on disk must not be found after a crash of the machine, and
	 * nothing was synced while it was made. */
	scope_fd int tree = open(l->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0 || syncfs(tree) < 0 || rename(l->dir, target) < 0)
		return err_errno(e, errno, "publishing the layer %.12s", l->key);
	name_paths(s, l, "layers");
	l->cached = true;
	(void)flock(l->lock, LOCK_SH);
	return 0;
}

void layer_keep_failed(const struct store *s, struct layer *l)
{
	char target[2400];

	scope_close(&l->log);
	remove_in(l, "work");
	remove_in(l, "root");
	snprintf(target, sizeof target, "%s/failed/%s", s->path, l->key);
	store_remove(target);
	if (rename(l->dir, target) == 0)
		name_paths(s, l, "failed");
	l->cached = true; /* from now on not ours to remove */
}

void layer_keep_log(const struct store *s, struct layer *l)
{
	remove_in(l, "tree");
	layer_keep_failed(s, l);
}

bool layer_says_full(const struct layer *l)
{
	static const char *const words[] = {"No space left on device", "Disk quota exceeded"};

	for (unsigned i = 0; i < LAYER_LOG_TAIL && i < l->tail_n; i++)
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			if (strstr(l->tail[i], words[k]))
				return true;
	return false;
}

void layer_close(struct layer *l)
{
	scope_close(&l->log);
	if (!l->cached && l->lock >= 0)
		store_remove(l->dir);
	scope_close(&l->lock);
}
