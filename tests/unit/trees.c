/* SPDX-License-Identifier: Apache-2.0 */
/* A tree in a directory of the test's own, and looking at it. */
#include "trees.h"

#include <errno.h>

#include "own_tree.h"

int trees_setup(void **state)
{
	struct trees *t = calloc(1, sizeof *t);

	t->fd = own_tree_open(t->dir, t->path);
	snprintf(t->file, sizeof t->file, "%s/file", t->dir);
	t->a = arena_new();
	*state = t;
	return 0;
}

int trees_teardown(void **state)
{
	struct trees *t = *state;

	own_tree_close(t->dir, t->fd);
	arena_close(t->a);
	free(t);
	return 0;
}

struct stat trees_stat(const struct trees *t, const char *name)
{
	struct stat st;

	if (fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", name, strerror(errno));
	return st;
}

bool trees_has(const struct trees *t, const char *name)
{
	return own_tree_has(t->fd, name);
}

const char *trees_text(const struct trees *t, const char *name)
{
	return own_tree_text(t->fd, name, t->a);
}

ssize_t trees_xattr(const struct trees *t, const char *name, const char *xattr, void *value,
                    size_t cap)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", t->path, name);
	return lgetxattr(path, xattr, value, cap);
}

void trees_put(const struct trees *t, const char *name, const char *text, unsigned mode)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		fail_msg("%s: %s", name, strerror(errno));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void trees_date(const struct trees *t, const char *name, time_t sec, long ns)
{
	const struct timespec at = {.tv_sec = sec, .tv_nsec = ns}, times[2] = {at, at};

	assert_int_equal(utimensat(t->fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

struct blob trees_file(const struct trees *t)
{
	struct blob text = {0};
	struct err e;

	assert_ok(file_read(AT_FDCWD, t->file, 64 * MIB, t->a, &text, &e));
	return text;
}
