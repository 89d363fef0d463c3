/* SPDX-License-Identifier: Apache-2.0 */
/* What the base*.c files share: a kind of base is a file with a row of this type, see base.c. */
#pragma once

#include "build/base.h"
#include "build/sandbox.h"

/* What making one works with, outside. */
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
	bool (*makes)(const struct recipe *r); /* whether it is the recipe's */
	bool packages;                         /* brings the recipe's packages */
	bool locks;                            /* a lock can say which */
	/* Its tools are there. NULL: it needs none. */
	int (*check)(const struct recipe *r, struct err *e);
	/* All that decides the content, as lines of text. */
	int (*key)(const struct base *b, struct arena *a, struct strbuf *key, struct err *e);
	int (*make)(const struct base_making *m, struct err *e);
	const struct sandbox_job *job; /* that it runs in the sandbox */
};
extern const struct base_type base_apt, base_dnf, base_tar, base_directory, base_disk;

/* What is done in the sandbox, which has no image and sees this machine. */
struct base_work {
	struct recipe recipe; /* what it is from, its architecture and the size of its disk */
	struct field_strings packages;
	const char *const *argv; /* a program of this machine; NULL: none */
	const char *tree;
	uint64_t deadline;
};
void base_work_parcel(struct parcel *p, void *work);
struct base_work base_work(const struct base_making *m);
/* Runs the job, whose argument is that. */
int base_run(const struct base_making *m, const struct sandbox_job *job, struct base_work *w,
             bool network, struct err *e) ATTR_MUST_USE;

/* Inside: runs argv with an environment that is the same everywhere, its output to stderr. */
int base_run_program(void *work, struct err *e) ATTR_MUST_USE;
void base_say(void *ctx, const char *line);
