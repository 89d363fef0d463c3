/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory beside an output, in which it is made: ".NAME.hpc-work", 0700, on the same file
 * system, so that the finished file can be renamed into place. Only one process has it at a time.
 * What a killed process left in it is removed by the next one.
 */
#pragma once

#include <limits.h>

#include "base/err.h"

struct work {
	int fd;              /* the directory, locked; -1: none */
	int parent;          /* where the output will be */
	char name[256];      /* of the output in its parent */
	char path[PATH_MAX]; /* of the directory, absolute */
};
#define WORK_INIT                                                                                  \
	{                                                                                          \
		.fd = -1, .parent = -1                                                             \
	}

/* EBUSY, REASON_BUSY: another process is making the same output. */
int work_open(const char *output, struct work *ret, struct err *e) ATTR_MUST_USE;
/* Moves a file or tree of the directory, once synced to disk, to the output's place in one step. */
int work_publish(struct work *w, const char *file, struct err *e) ATTR_MUST_USE;
/* Removes the directory with its content; what was published stays. */
void work_close(struct work *w);
#define scope_work __attribute__((cleanup(work_close)))

/* Removes from that directory the unfinished outputs of processes that have ended. */
void work_sweep(const char *dir);
