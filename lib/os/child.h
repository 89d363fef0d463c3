/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one child process under a deadline; shared by exec.c, mount.c and the image builder's
 * sandbox. Kinds and programs use exec.h.
 *
 * The child leads its own process group, dies with us, has default signals, umask 022 and only the
 * descriptors 0, 1, 2. At the deadline its group gets SIGTERM, 2 s later SIGKILL; what is still
 * alive 2 s after that (in uninterruptible sleep) is abandoned. While it runs this process is a
 * child subreaper, which is process-wide: orphans of the child become our children, so that those
 * that left the group are also ended at the deadline. Descendants of a child that ended in time are
 * not killed.
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
	int signal; /* what ended it; 0: it exited, with whatever status */
	bool timed_out, abandoned;
	struct blob out, errout; /* NUL-terminated, in the arena */
};

/* 0 if the child ended or was ended; <0 only if it couldn't be started. */
int child_run(const struct child_spec *s, struct arena *a, struct child_end *ret,
              struct err *e) ATTR_MUST_USE;

/* Zeroed memory shared with a child: its writes are visible here; NULL without memory. */
void *child_share(size_t size) ATTR_MUST_USE;
void child_unshare(void *shared, size_t size);
