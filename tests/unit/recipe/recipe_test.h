/* SPDX-License-Identifier: Apache-2.0 */
/* What tests share that read files: a directory of their own. */
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
#include "host/tree.h"

static char top[] = "/tmp/unit-recipe-XXXXXX";
static struct arena *arena;
static struct err e;

static inline const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

static inline void put(const char *name, const char *text)
{
	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
		(void)mkdir(arena_printf(arena, "%s/%.*s", top, (int)(p - name), name), 0755);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

/* Text that begins with a brace is JSON to a recipe's reader. */
static inline void put_yaml(const char *name, const char *text)
{
	put(name, arena_printf(arena, "--- %s", text));
}

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
