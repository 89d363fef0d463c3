/* SPDX-License-Identifier: Apache-2.0 */
/* What Slurm says of a job, by scontrol(1). */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct slurm_job {
	const char *id; /* as "7" */
	/* As Slurm prints them: "PENDING", "BeginTime", "q", ... NULL: it has none. */
	const char *state, *reason, *partition, *nodes, *comment;
};
struct slurm_jobs {
	size_t n;
	struct slurm_job *items;
};

/* Several: the tasks of an array, or parts of a heterogeneous job. Fails where slurmctld doesn't answer or
 * doesn't know it. */
int slurm_job_show(const char *id, struct arena *a, struct slurm_jobs *ret,
                   struct err *e) ATTR_MUST_USE;

/* What `scontrol show job` printed: records of lines of KEY=VALUE, each of which begins with JobId. */
void slurm_job_parse(const char *text, struct arena *a, struct slurm_jobs *ret);

/* Whether a word names a job: "7", "7_3" of an array, "7+1" of a heterogeneous one. */
bool slurm_job_is_id(const char *word);
