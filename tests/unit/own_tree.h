/* SPDX-License-Identifier: Apache-2.0 */
/* A tree in a directory of the test's own: made, looked at, removed. */
#pragma once

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "os/tree.h"

/* `path` becomes DIR/tree, DIR below `where`; returns its descriptor. */
static inline int own_tree_open_in(const char *where, char dir[static 64], char path[static 96])
{
	snprintf(dir, 64, "%s/unit-tree-XXXXXX", where);
	assert_non_null(mkdtemp(dir));
	snprintf(path, 96, "%s/tree", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline int own_tree_open(char dir[static 64], char path[static 96])
{
	return own_tree_open_in("/tmp", dir, path);
}

static inline void own_tree_close(const char *dir, int fd)
{
	struct err e;

	close(fd);
	assert_ok(tree_remove(AT_FDCWD, dir, true, &e));
}

static inline bool own_tree_has(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The test fails where there is no such file. */
static inline const char *own_tree_text(int fd, const char *name, struct arena *a)
{
	struct blob text = {0};
	struct err e;

	assert_ok(file_read(fd, name, 1 << 24, a, &text, &e));
	return text.data ? text.data : "";
}
