/* SPDX-License-Identifier: Apache-2.0 */
/* Programs run inside a host's root. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct host;

struct host_exec {
	/* NULL-terminated; argv[0] has a slash, or is searched for in a fixed PATH. */
	const char *const *argv;
	/* NAME=VALUE in addition to PATH, LANG=C.UTF-8, HOME and what the host gives to all
	 * (host_set_epoch), which they may replace; NULL: only those. */
	const char *const *env;
	const char *cwd;   /* NULL: / */
	struct blob input; /* stdin; empty: /dev/null */
	int exec_fd;       /* > 0: run this file (fexecve), argv[0] is only its name */
	const char *user;  /* run as, with its groups; NULL: root */
	bool changes;      /* false: a query, run in dry mode too and never recorded */
	uint64_t deadline; /* required */
	/* If set, called with every line of stdout and stderr as it is written, terminated, without
	 * its newline; a line of more than 1 KiB comes in pieces. */
	void (*line)(void *ctx, const char *line);
	void *line_ctx;
};

struct host_result {
	int status;      /* exit status; of one that a signal ended 128 + it; -1 when abandoned */
	int signal;      /* what ended it; 0: it exited, with whatever status */
	bool timed_out;  /* the deadline ended it */
	bool abandoned;  /* it survived SIGKILL (uninterruptible); it is left behind */
	struct blob out; /* first 256 KiB of stdout, NUL-terminated */
	struct blob errout; /* last 16 KiB of stderr, NUL-terminated */
};

/*
 * Runs it inside the root (chroot when not self) in a process group of its own, with umask 022,
 * default signals and no descriptor but 0, 1, 2 (and exec_fd, which a script's interpreter opens as
 * /dev/fd/N). No shell. A non-zero status is not an error here: only failing to start
 * (REASON_HOST_EXEC), or the deadline (-ETIMEDOUT, REASON_STEP_TIMEOUT, or REASON_STEP_ABANDONED),
 * in which case *ret has the output so far. At the deadline it and its descendants get SIGTERM, 2 s
 * later SIGKILL, and what is left after 2 s more is abandoned; descendants that left the process
 * group are found too, for which this process is a child subreaper (process-wide) while the program
 * runs. It dies with us. Daemons that outlive it are neither killed nor waited for. Dry and
 * `changes`: nothing runs, status 0.
 */
int host_run(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
             struct err *e) ATTR_MUST_USE;
/* host_run, but a non-zero status is an error: "running 'x': exit status 3: last
 * line of stderr". */
int host_run_ok(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
                struct err *e) ATTR_MUST_USE;

/*
 * The two for whoever needs no host beside it: they run the program in the root this process sees
 * as "/", whatever root an image or --root names. It is a live root that nobody listens to: what
 * `changes` runs too and is recorded nowhere, and no epoch is given (host_set_epoch). Whoever runs
 * many opens a host once. Errors: those of host_open and of host_run or host_run_ok.
 */
int host_run_here(const struct host_exec *x, struct arena *a, struct host_result *ret,
                  struct err *e) ATTR_MUST_USE;
int host_run_here_ok(const struct host_exec *x, struct arena *a, struct host_result *ret,
                     struct err *e) ATTR_MUST_USE;

/* "exit status 3" or "ended by SIGKILL". Returns out. */
#define HOST_HOW 48
const char *host_how_ended(const struct host_result *res, char out[static HOST_HOW]);
