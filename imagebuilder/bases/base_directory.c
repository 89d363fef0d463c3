/* SPDX-License-Identifier: Apache-2.0 */
/* A base that is a directory of this machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/scope.h"
#include "bases/base_own.h"
#include "os/tree.h"

static bool makes(const struct recipe *r)
{
	return r->from_type == FROM_DIRECTORY;
}

/* Name, kind, size, owner and times. */
static int add_entry(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct stat *st = at->st;
	char text[256];

	(void)e;
	int n = snprintf(text, sizeof text, " %o %u %u %lld %lld.%09ld %llu\n", st->st_mode,
	                 st->st_uid, st->st_gid,
	                 S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
	                 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	                 (unsigned long long)st->st_rdev);
	digest_add(ctx, at->path, strlen(at->path) + 1);
	digest_add(ctx, text, (size_t)n);
	return TREE_GO;
}

static int add_key(const struct base *b, struct arena *a, struct strbuf *key, struct err *e)
{
	const char *path = b->recipe->from;
	scope_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_digest struct digest *d = digest_new();
	const struct tree_walk walk = {.visit = add_entry, .ctx = d, .one_fs = true};
	unsigned char sum[SHA256_LEN];
	char hex[SHA256_HEX];
	struct stat st;

	(void)a;
	if (dir < 0 || fstat(dir, &st) < 0)
		return err_errno(e, errno, "opening '%s'", path);
	const struct tree_entry top = {.path = "", .st = &st};
	add_entry(d, &top, e);
	int r = tree_walk(dir, &walk, e);
	if (r < 0)
		return err_wrap(e, "reading '%s'", path);
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, hex);
	strbuf_printf(key, "directory %s %s\n", path, hex);
	return 0;
}

static const struct sandbox_job base_directory_job = {.name = "base-directory",
                                                      .size = sizeof(struct base_work),
                                                      .parcel = base_work_parcel,
                                                      .run = base_run_program};

static int make(const struct base_making *m, struct err *e)
{
	const char *const argv[] = {"cp",
	                            "--archive",
	                            "--one-file-system",
	                            "--reflink=auto",
	                            "--",
	                            arena_printf(m->arena, "%s/.", m->base->recipe->from),
	                            m->tree,
	                            NULL};
	struct base_work w = base_work(m);

	w.argv = argv;
	return base_run(m, &base_directory_job, &w, false, e);
}

const struct base_type base_directory = {
        .job = &base_directory_job, .makes = makes, .key = add_key, .make = make};
