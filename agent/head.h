/* SPDX-License-Identifier: Apache-2.0 */
/* A head node's files from a ParallelCluster configuration, for `render` and `check`. */
#pragma once

#include "agent/agent.h"
#include "model/render.h"

/* --slurm as a release (model/slurmver.h), or the default. */
int head_release(const struct agent *g, unsigned *ret, struct err *e) ATTR_MUST_USE;

/*
 * The files, as far as they are known here. `config` has passed pcluster_check() and
 * pcluster_rules(); g->node and g->facts tell the rest, notes go to g->notes.
 */
int head_render(struct agent *g, const struct doc *config, struct faults *faults,
                struct render_files *ret, struct err *e) ATTR_MUST_USE;

/* What the head would refuse in it; which keys Slurm has is looked at only with --slurm. */
int head_check(struct agent *g, const struct doc *config, struct faults *faults,
               struct err *e) ATTR_MUST_USE;
