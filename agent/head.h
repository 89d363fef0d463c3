/* SPDX-License-Identifier: Apache-2.0 */
/* A head node's files from a ParallelCluster configuration, where there is no head. */
#pragma once

#include "agent/agent.h"
#include "model/render.h"

/* --slurm as a release (model/slurmver.h), or the default. */
int head_release(const struct agent *g, unsigned *ret, struct err *e) ATTR_MUST_USE;

/*
 * The files, as a head of that release has them. `config` has passed cluster_check(); g->node and
 * g->facts tell the rest, notes go to g->notes.
 */
int head_render(struct agent *g, const struct doc *config, struct faults *faults,
                struct render_files *ret, struct err *e) ATTR_MUST_USE;
