/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that Slurm holds though nobody wanted that: requeued when a node of theirs had gone, they are found
 * to fit no node that is left, and have the priority 0 and the reason BadConstraints, also when there are
 * such nodes again.
 */
#pragma once

#include "serve/fleet.h"

/* Each is released once a requeue: one that really fits nowhere is held again, and stays so. */
void held_release(struct fleet *f);

/* Those of what squeue printed, a job a line: "NUMBER|PRIORITY|REASON|RESTARTS"; as "NUMBER/RESTARTS". */
struct hostlist held_parse(const char *text, struct arena *a);
