/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node that can't join says so to the controller, as long as it is one that munge lets talk: by its node's
 * Comment, which root may set, "hpc-agent: INSTANCE failed: WHY". The node's state is left as it is, since its
 * job waits for it: hpc-fleet on the head, which reads that, gives the node another instance.
 */
#pragma once

#include "plan/step.h"

#define SLURM_TELL_MAX 200 /* bytes; the rest is left out */

/* `slurm` is the plan's step of that section; its node is told of. Bounded by c->deadline. */
int slurm_tell_failed(const struct step_ctx *c, const struct step *slurm, const char *instance,
                      const char *why, struct err *e) ATTR_MUST_USE;
