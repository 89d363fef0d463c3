/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits until something changes in a directory of a host, without polling: inotify(7).
 *
 * Open it, look at the directory's content, then wait: anything that changed since it was opened
 * ends the wait at once, so no change is missed in between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct host;

struct dirwatch {
	int fd; /* -1: not watching */
};
#define DIRWATCH_INIT                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Watches the directory at an absolute path; while that doesn't exist, the nearest existing one
 * above it, so open it again after each wait. If the kernel has no watches left, dirwatch_wait()
 * just waits a little. Closes what was open before. */
void dirwatch_open(struct dirwatch *w, const struct host *h, const char *path);

/* True: an entry was made, replaced or removed, or a file that was open for writing was closed;
 * false: the deadline has come. */
bool dirwatch_wait(struct dirwatch *w, uint64_t deadline);

/* Safe on one never opened. */
void dirwatch_close(struct dirwatch *w);
#define scope_dirwatch __attribute__((cleanup(dirwatch_close)))
