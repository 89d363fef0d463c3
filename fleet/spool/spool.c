/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads the spool of requests. */
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"

const char *const spool_verbs[SPOOL_VERBS] = {
        [SPOOL_RESUME] = "resume", [SPOOL_SUSPEND] = "suspend", [SPOOL_RESUME_FAIL] = "resume-fail",
        [SPOOL_START] = "start",   [SPOOL_STOP] = "stop",       [SPOOL_RECONCILE] = "reconcile",
};

static int open_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "opening the spool '%s'", dir);
	return fd;
}

/* ---- writing ---- */

/* Sorted by these names requests are in the order they were made: the wall clock may be set back
 * between two, and then the later one still comes after what was read before. */
static void name_now(char *out, size_t cap)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(out, cap, "%012lld.%09ld.%d", (long long)t.tv_sec, t.tv_nsec, (int)getpid());
}

/* The file is the spool's owner's, who has to read it, also where root asks. */
static int owner_of(int dir, struct file_attr *attr, struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(dir, &st) < 0)
		return err_errno(e, errno, "looking at the spool");
	attr->uid = st.st_uid;
	attr->gid = st.st_gid;
	return 0;
}

static int put_at(int dir, const char *name, enum spool_verb verb, const char *nodes,
                  struct blob jobs, struct err *e)
{
	/* slurmctld waits for its programs, and what a crash of the machine loses of theirs is found again
	 * by comparing nodes and instances. What people say is not. */
	struct file_attr attr = {.mode = 0600,
	                         .uid = (uid_t)-1,
	                         .gid = (gid_t)-1,
	                         .unsynced = verb <= SPOOL_RESUME_FAIL};
	scope_arena struct arena *a = arena_new();
	const char *line = arena_printf(a, "%s %s\n", spool_verbs[verb], nodes);
	scope_file_new struct file_new f = FILE_NEW_INIT;
	int r = owner_of(dir, &attr, e);

	if (r < 0)
		return r;
	r = file_new_open(&f, dir, name, e);
	if (r < 0)
		return r;
	r = file_new_write(&f, line, strlen(line), e);
	if (r < 0)
		return r;
	r = file_new_write(&f, jobs.data, jobs.len, e);
	if (r < 0)
		return r;
	return file_new_commit(&f, &attr, e);
}

int spool_put(const char *dir, enum spool_verb verb, const char *nodes, struct blob jobs,
              struct err *e)
{
	scope_fd int fd = open_dir(dir, e);
	char name[64];

	if (fd < 0)
		return fd;
	if (strlen(nodes) + jobs.len + 64 > SPOOL_FILE_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "a request of %zu bytes: expected at most %lu",
		               strlen(nodes) + jobs.len, SPOOL_FILE_MAX);
	name_now(name, sizeof name);
	return put_at(fd, name, verb, nodes, jobs, e);
}

/* ---- reading ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct spool_item *)a)->name, ((const struct spool_item *)b)->name);
}

/* All names, sorted; the first ones are read. */
static int list(int fd, struct arena *a, struct spool *ret, struct err *e)
{
	scope_fd int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_dir DIR *d = own < 0 ? NULL : fdopendir(own);
	const struct dirent *at;

	if (!d)
		return err_errno(e, errno, "listing the spool");
	own = -1; /* the DIR's */
	while ((at = readdir(d)) != NULL) {
		if (at->d_name[0] == '.')
			continue;
		ret->items = arena_grow(a, ret->items, &ret->n, sizeof *ret->items);
		ret->items[ret->n - 1].name = arena_strdup(a, at->d_name);
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof *ret->items, by_name);
	if (ret->n > SPOOL_FILES_MAX)
		ret->n = SPOOL_FILES_MAX;
	return 0;
}

/* False: it isn't one. */
static bool parse(struct blob text, struct arena *a, struct spool_item *ret)
{
	const char *end = text.len ? memchr(text.data, '\n', text.len) : NULL;
	const char *blank = end ? memchr(text.data, ' ', (size_t)(end - text.data)) : NULL;

	if (!blank || strlen(text.data) < (size_t)(end - text.data))
		return false;
	ret->nodes = arena_memdup(a, blank + 1, (size_t)(end - blank - 1));
	ret->jobs = (struct blob){end + 1, text.len - (size_t)(end + 1 - text.data)};
	for (int i = 0; i < SPOOL_VERBS; i++)
		if (blob_eq((struct blob){text.data, (size_t)(blank - text.data)},
		            spool_verbs[i])) {
			ret->verb = (enum spool_verb)i;
			return true;
		}
	return false;
}

int spool_read(const char *dir, struct arena *a, struct spool *ret, struct err *e)
{
	scope_fd int fd = open_dir(dir, e);
	struct spool all = {0}, good = {0};
	struct blob text;

	if (fd < 0)
		return fd;
	int r = list(fd, a, &all, e);
	if (r < 0)
		return r;
	good.items = all.items;
	for (size_t i = 0; i < all.n; i++) {
		struct spool_item at = all.items[i];

		r = file_read(fd, at.name, SPOOL_FILE_MAX, a, &text, e);
		if (r < 0 && e->kind != ERR_INPUT) {
			/* The others are not to wait for whoever mends this one. */
			log_err("%s", e->text);
			continue;
		}
		if (r == 0 && parse(text, a, &at)) {
			good.items[good.n++] = at;
			continue;
		}
		log_warning("the spool's file '%s' is no request, and is removed", at.name);
		r = file_remove(fd, at.name, e);
		if (r < 0)
			return r;
	}
	*ret = good;
	return 0;
}

int spool_done(const char *dir, const struct spool_item *item, struct err *e)
{
	scope_fd int fd = open_dir(dir, e);

	if (fd < 0)
		return fd;
	return file_remove(fd, item->name, e);
}
