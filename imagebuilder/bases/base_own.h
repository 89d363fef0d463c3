/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the base*.c files: each kind of base is a file with a row of this type, see base.c. */
#pragma once

#include "bases/base.h"
#include "sandbox/sandbox.h"

/* What making a base works with, outside of the sandbox. */
struct base_making {
	const struct base *base;
	const char *tree; /* empty */
	struct store *store;
	uint64_t deadline;
	void (*line)(void *ctx, const char *line);
	void *line_ctx;
	struct arena *arena;
};

struct base_type {
	bool (*makes)(const struct recipe *r); /* whether the recipe is from this kind of base */
	bool packages;                         /* installs the recipe's packages */
	bool locks;                            /* a lock can pin the packages */
	/* Checks that its tools are installed. NULL: it needs none. */
	int (*check)(const struct recipe *r, struct err *e);
	/* Writes everything that decides the content, as lines of text. */
	int (*key)(const struct base *b, struct arena *a, struct strbuf *key, struct err *e);
	int (*make)(const struct base_making *m, struct err *e);
	const struct sandbox_job *job; /* the job it runs in the sandbox */
};
extern const struct base_type base_apt, base_dnf, base_tar, base_directory, base_disk;

/* The work done in the sandbox, which has no image and sees this machine's files. */
struct base_work {
	struct recipe recipe; /* its `from`, architecture and disk size */
	struct field_strings packages;
	const char *const *argv; /* a program of this machine; NULL: none */
	const char *tree;
	uint64_t deadline;
};
void base_work_parcel(struct parcel *p, void *work);
struct base_work base_work(const struct base_making *m);
/* Runs the job with that argument. */
int base_run(const struct base_making *m, const struct sandbox_job *job, struct base_work *w,
             bool network, struct err *e) ATTR_MUST_USE;

/* In the sandbox: runs argv with an environment that is the same everywhere, its
 * output to stderr. */
int base_run_program(void *work, struct err *e) ATTR_MUST_USE;
void base_say(void *ctx, const char *line);
