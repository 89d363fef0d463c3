/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out what Slurm asked for. Errors are of this machine only, as a journal that can't be
 * written: what EC2 or Slurm refuse is told to Slurm, and to the log, and goes on.
 */
#pragma once

#include "serve/fleet.h"

/* Queues the launch of those of the nodes that are ours and have no instance. */
int act_resume(struct fleet *f, const struct hostlist *nodes, const struct jobs *jobs,
               struct err *e) ATTR_MUST_USE;

/* They are to end, now or as soon as they are known. */
int act_suspend(struct fleet *f, const struct hostlist *nodes, const char *why,
                struct err *e) ATTR_MUST_USE;

/* Slurm waited for them in vain: they end, and where they came from rests. */
int act_resume_failed(struct fleet *f, const struct hostlist *nodes, struct err *e) ATTR_MUST_USE;

/* Whatever can be done now: unanswered launches are asked for again, the queue goes on, unwanted
 * instances end. */
int act_pending(struct fleet *f, struct err *e) ATTR_MUST_USE;
