/* SPDX-License-Identifier: Apache-2.0 */
/* An image's tree in a directory of the test's own. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "os/tree.h"
#include "own_tree.h"

int image_setup(void **state)
{
	struct image *t = calloc(1, sizeof *t);

	/* Thousands of files that live for an instant: in memory, where there is a place for that. */
	t->fd = own_tree_open_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", t->dir,
	                         t->path);
	t->a = arena_new();
	*state = t;
	return 0;
}

int image_teardown(void **state)
{
	struct image *t = *state;

	own_tree_close(t->dir, t->fd);
	arena_close(t->a);
	free(t);
	return 0;
}

static void make_parents(struct image *t, const char *path)
{
	char dir[512];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof dir, "%.*s", (int)(p - path), path);
		if (mkdirat(t->fd, dir, 0755) < 0 && errno != EEXIST)
			fail_msg("%s: %s", dir, strerror(errno));
	}
	(void)unlinkat(t->fd, path, 0);
}

void image_put_bytes(struct image *t, const char *path, const void *data, size_t len)
{
	make_parents(t, path);
	int fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(file_write_all(fd, data, len), 0);
	close(fd);
}

void image_put(struct image *t, const char *path, const char *text)
{
	image_put_bytes(t, path, text, strlen(text));
}

void image_link(struct image *t, const char *path, const char *target)
{
	make_parents(t, path);
	assert_int_equal(symlinkat(target, t->fd, path), 0);
}

bool image_has(struct image *t, const char *path)
{
	return own_tree_has(t->fd, path);
}

const char *image_text(struct image *t, const char *path)
{
	return own_tree_text(t->fd, path, t->a);
}

void image_fill(struct image *t)
{
	static const char *const dirs[] = {"tmp/.",      "var/tmp/.", "root/.ssh/.",
	                                   "home/eve/.", "srv/bob/.", "var/log/apt/.",
	                                   "etc/ssh/."};

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		make_parents(t, dirs[i]);
	image_put(t, "etc/machine-id", "");
	image_put(t, "etc/hostname", "localhost\n");
	image_put(t, "etc/passwd",
	          "root:x:0:0::/root:/bin/sh\nbob:x:5:5::/srv/bob:/bin/sh\n"
	          "daemon:x:1:1::/:/bin/false\nnobody:*:9:9::/nonexistent:/bin/false\n");
	image_put(t, "etc/shadow",
	          "root:*:19000:0:99999:7:::\nbob:!:19000::::::\n"
	          "eve:!!:19000:0:99999:7:::\n");
	image_put(t, "etc/gshadow", "root:*::\nbob:!::\nadm:::eve\n");
	image_link(t, "etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf");
	image_link(t, "etc/systemd/system/multi-user.target.wants/hpc-agent.service", "x");
}

void image_empty_out(struct image *t)
{
	struct err e;

	assert_ok(tree_empty(t->fd, false, &e));
}
