/* SPDX-License-Identifier: Apache-2.0 */
/* Failures, told to the jobs that wait for nodes: their AdminComment, by squeue(1) and scontrol(1). */
#pragma once

#include "base/arena.h"

/* Jobs that Slurm has on nodes. */
struct comment_jobs {
	size_t n;
	const char **ids; /* as "7": what scontrol takes */
};

/* `list` is a host list. None where Slurm doesn't tell: the log says so. To be asked before the nodes are
 * down, as a job that waits again has none. */
struct comment_jobs comment_jobs_of(const char *list, struct arena *a);

/* What squeue printed, a job a line. Others, as its own complaints, are passed over. */
struct comment_jobs comment_parse(const char *text, struct arena *a);

/* Their AdminComment is `why`, marked and with the time, in place of what it was: squeue of 22.05 can't tell
 * what that is. At most 100 jobs a call. */
void comment_set(const struct comment_jobs *jobs, const char *why);
