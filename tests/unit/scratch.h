/* SPDX-License-Identifier: Apache-2.0 */
/* What tests share that read and write files: a directory of their own, gone after each test. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"
#include "os/tree.h"

static char top[] = "/tmp/unit-scratch-XXXXXX";
static struct arena *arena;
static struct err e;

static inline const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

/* Missing directories of the name are made. */
static inline void put(const char *name, const char *text)
{
	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
		(void)mkdir(arena_printf(arena, "%s/%.*s", top, (int)(p - name), name), 0755);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

/* The text of a file; "" if there is none. */
static inline const char *get(const char *name)
{
	struct blob text = {0};

	int r = file_read(AT_FDCWD, at(name), 1 << 20, arena, &text, &e);

	return r < 0 ? "" : text.data;
}

/* For scripts that run hundreds of times: show FILE is cat(1) without another process. */
#define SCRIPT_SHOW                                                                                \
	"show() {\n"                                                                               \
	"	[ -e \"$1\" ] || return 1\n"                                                             \
	"	while IFS= read -r l; do printf '%s\\n' \"$l\"; done <\"$1\"\n"                          \
	"	printf %s \"$l\"\n"                                                                      \
	"}\n"

static inline int set_up(void **state)
{
	(void)state;
	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	arena = arena_new();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	assert_ok(tree_remove(AT_FDCWD, top, true, &e));
	arena_close(arena);
	return 0;
}

#define SCRATCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
