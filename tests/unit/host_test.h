/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this floor share: a root in a temporary directory, and a recorder one can read.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "base/scope.h"
#include "host/host.h"

struct fixture {
	char root[64];
	struct host *host, *dry;
	struct arena *arena;
	char record[8192]; /* one line a change, "\n" after each */
};

static inline void fixture_record(void *ctx, const char *change)
{
	struct fixture *f = ctx;
	size_t n = strlen(f->record);

	snprintf(f->record + n, sizeof f->record - n, "%s\n", change);
}

static inline size_t entries(const char *path)
{
	scope_dir DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}

static inline int fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {0};

	snprintf(f->root, sizeof f->root, "/tmp/hpc-host-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	assert_int_equal(chmod(f->root, 0755), 0);
	assert_ok(host_open(f->root, HOST_LIVE, &f->host, &e));
	assert_ok(host_open(f->root, HOST_DRY, &f->dry, &e));
	host_record_to(f->host, fixture_record, f);
	host_record_to(f->dry, fixture_record, f);
	f->arena = arena_new();
	*state = f;
	return 0;
}

static inline int fixture_close(void **state)
{
	struct fixture *f = *state;
	const char *const argv[] = {"rm", "-rf", "--one-file-system", f->root, NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(20000)};
	struct host_result res;
	struct err e = {0};

	host_close(f->host);
	host_close(f->dry);
	assert_ok(host_run_here_ok(&x, f->arena, &res, &e));
	arena_close(f->arena);
	free(f);
	return 0;
}

/* A file of the root, as seen from outside. */
static inline const char *fixture_path(struct fixture *f, const char *path)
{
	return arena_printf(f->arena, "%s%s", f->root, path);
}

static inline void fixture_put(struct fixture *f, const char *path, const char *text, mode_t mode)
{
	char dir[256];
	struct err e = {0};

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (*dir)
		assert_ok(host_mkdir(f->host, dir, 0755, NULL, &e));
	assert_ok(host_write(f->host, path, (struct blob){text, strlen(text)}, mode, NULL, &e));
	f->record[0] = '\0';
}

static inline const char *fixture_get(struct fixture *f, const char *path)
{
	struct blob text = {0};
	struct err e = {0};

	assert_ok(file_read(AT_FDCWD, fixture_path(f, path), 1 << 20, f->arena, &text, &e));
	return text.data ? text.data : "";
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_open, fixture_close)
#define BLOB(text)                                                                                 \
	(struct blob)                                                                              \
	{                                                                                          \
		(text), strlen(text)                                                               \
	}
