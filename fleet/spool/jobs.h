/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the nodes that Slurm wants belong together: SLURM_RESUME_FILE, slurm.conf(5),
 * ResumeProgram. 22.05 says {"all_nodes":..,"jobs":[{"job_id":N,"nodes":..}]}, later releases
 * {"all_nodes_resume":..,"jobs":[{"job_id":N,"nodes_resume":..}]}.
 */
#pragma once

#include "model/hostlist.h"

struct jobs_item {
	const char *id;
	struct hostlist nodes;
};
struct jobs {
	size_t n;
	struct jobs_item *items;
};

/* An empty text has none. */
int jobs_read(struct blob text, struct arena *a, struct jobs *ret, struct err *e) ATTR_MUST_USE;
