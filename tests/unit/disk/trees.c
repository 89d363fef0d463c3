/* SPDX-License-Identifier: Apache-2.0 */
/* A tree in a directory of the test's own, and looking at it. */
#include "trees.h"

#include <errno.h>

int trees_setup(void **state)
{
	struct trees *t = calloc(1, sizeof *t);

	snprintf(t->dir, sizeof t->dir, "/tmp/unit-disk-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->file, sizeof t->file, "%s/file", t->dir);
	snprintf(t->path, sizeof t->path, "%s/tree", t->dir);
	assert_int_equal(mkdir(t->path, 0755), 0);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->a = arena_new();
	*state = t;
	return 0;
}

int trees_teardown(void **state)
{
	struct trees *t = *state;
	char command[128];

	close(t->fd);
	arena_close(t->a);
	snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
	int r = system(command);
	free(t);
	return r;
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
	return faccessat(t->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *trees_text(const struct trees *t, const char *name)
{
	struct blob text = {0};
	struct err e;

	assert_ok(file_read(t->fd, name, 16 * MIB, t->a, &text, &e));
	return text.data ? text.data : "";
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
