/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: one fixed-size value, owned by the caller, passed as the last parameter.
 *
 * A function that can fail returns 0 or -errno and fills `*e` exactly when it returns negative;
 * there is no third outcome. Outputs (`ret_...`) are untouched on failure. The kind alone decides
 * whether a thing is tried again and what the program exits with; the reason is the stable name a
 * script or a pager matches on (`hpc-agent explain REASON`); the text is for people: "doing X:
 * cause", lower case, the user's own strings in single quotes. Input errors start "file:line:col:
 * ".
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/reason.h"

enum err_kind {
	ERR_NONE,
	ERR_INPUT,     /* what we were given is wrong: exit 3, never retried */
	ERR_DENIED,    /* a service understood us and refused: exit 4, never retried */
	ERR_ABSENT,    /* a service answered that the thing doesn't exist: exit 4, never retried */
	ERR_RETRY,     /* a service was unreachable, throttled or broke off: exit 4, retried */
	ERR_INTEGRITY, /* checksum, signature, rollback: exit 5, never retried */
	ERR_HOST,      /* this machine refused: exit 1, retried only where the step says so */
	ERR_BUG,       /* our own mistake: exit 70 */
	ERR_BUSY,      /* another run holds the lock: exit 6, never retried */
	ERR_DEADLINE,  /* there was no time left: exit 7, never retried */
	ERR_USAGE,     /* the command line is wrong: exit 2, never retried */
};

struct err {
	int no; /* positive errno; the function returned its negative */
	enum err_kind kind;
	enum reason reason;
	char text[500]; /* truncated with "..." when longer; always terminated, no control
	                   characters */
};

/* Fills *e and returns -no, so that a failing function ends `return err_set(e, ...)`. `no` > 0. */
int err_set(struct err *e, enum err_kind kind, enum reason reason, int no, const char *fmt, ...)
        ATTR_PRINTF(5, 6) ATTR_COLD;

/* Puts "doing X: " before the text that is there and returns -e->no; kind and reason stay. */
int err_wrap(struct err *e, const char *fmt, ...) ATTR_PRINTF(2, 3) ATTR_COLD;

/* As err_set for a failed system call: the text ends with ": " and strerror(no); kind ERR_HOST. */
int err_errno(struct err *e, int no, const char *fmt, ...) ATTR_PRINTF(3, 4) ATTR_COLD;

/* The documented exit status of a kind; ERR_NONE gives 0. */
int err_exit_status(enum err_kind kind);

/* "input", "denied", ... as status.json spells them. */
const char *err_kind_name(enum err_kind kind);
