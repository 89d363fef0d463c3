/* SPDX-License-Identifier: Apache-2.0 */
/* Watches a directory by inotify, or the nearest one above it that exists. */
#include "host/dirwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/scope.h"
#include "host/host.h"

#define EVENTS  (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)
#define POLL_MS 250   /* if no watch is available */
#define WAIT_MS 60000 /* longest poll(2), whose timeout is an int */

/* The directory, or the nearest one above it. */
static int open_nearest(int root, const char *path)
{
	char at[PATH_MAX];

	if ((size_t)snprintf(at, sizeof at, "%s", path) >= sizeof at)
		return -ENAMETOOLONG;
	for (;;) {
		int fd = file_open(root, *at ? at : "/", O_PATH | O_DIRECTORY, 0);
		char *slash = strrchr(at, '/');

		if (fd != -ENOENT || !slash)
			return fd;
		*slash = '\0';
	}
}

void dirwatch_open(struct dirwatch *w, const struct host *h, const char *path)
{
	char name[64];
	scope_fd int dir = open_nearest(host_root_fd(h), path);
	scope_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	dirwatch_close(w);
	snprintf(name, sizeof name, "/proc/self/fd/%d", dir);
	if (dir >= 0 && fd >= 0 && inotify_add_watch(fd, name, EVENTS) >= 0)
		w->fd = steal_fd(&fd);
}

/* The events' content doesn't matter: the caller examines the directory itself. */
static bool drain(int fd)
{
	char events[4096];
	ssize_t n = read(fd, events, sizeof events);

	return n > 0;
}

bool dirwatch_wait(struct dirwatch *w, uint64_t deadline)
{
	if (w->fd < 0)
		return clock_sleep_ms(POLL_MS, deadline);
	while (!clock_passed(deadline)) {
		struct pollfd p = {w->fd, POLLIN, 0};

		if (poll(&p, 1, (int)clock_min(clock_left_ms(deadline), WAIT_MS)) > 0 &&
		    drain(w->fd))
			return true;
	}
	return false;
}

void dirwatch_close(struct dirwatch *w)
{
	scope_close(&w->fd);
}
