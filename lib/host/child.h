/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One child process under a deadline; what exec.c, mount.c and the image builder's sandbox have in
 * common. Kinds and programs use exec.h.
 *
 * The child leads its own process group, dies with us, has default signals, umask 022 and only the
 * descriptors 0, 1, 2. At the deadline its group gets SIGTERM, 2 s later SIGKILL, and 2 s after
 * that what still lives (in uninterruptible sleep) is abandoned. While it runs this process is a
 * child subreaper, which is process-wide: orphans of the child come to us, so that at the deadline
 * those are ended too that left the group. Descendants of a child that ended in time
 * are not killed.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct child_spec {
	int (*main)(void *ctx); /* runs in the child; its result is the exit status */
	void *ctx;
	int in;         /* becomes stdin; -1: /dev/null */
	size_t out_max; /* first bytes of stdout kept; the rest is read and dropped */
	size_t err_max; /* last bytes of stderr kept */
	uint64_t deadline;
	void (*line)(void *ctx, const char *line); /* or NULL: exec.h */
	void *line_ctx;
};

struct child_end {
	int status; /* exit status; of one that a signal ended 128 + it; -1 when abandoned */
	int signal; /* that ended it; 0: it ended by itself, which may be with any status */
	bool timed_out, abandoned;
	struct blob out, errout; /* NUL-terminated, in the arena */
};

/* 0 when the child ended or was ended; <0 only when there was no starting it. */
int child_run(const struct child_spec *s, struct arena *a, struct child_end *ret,
              struct err *e) ATTR_MUST_USE;

/* Zeroed memory the child's writes to which are seen here; NULL without memory. */
void *child_share(size_t size) ATTR_MUST_USE;
void child_unshare(void *shared, size_t size);
