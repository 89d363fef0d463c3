/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares what the ledger, EC2 and Slurm say, and acts on facts only, never on age alone:
 *   an instance of ours that no launch of the ledger accounts for is taken in, where its tags tell
 *   its node and nothing else has that, or else ended; one that EC2 says has ended is so, and its
 *   node down with EC2's reason; one whose node Slurm has powered down ends; a node that Slurm waits
 *   for and that has no launch, twice in a row, is launched; one that is down for want of instances
 *   is given back to Slurm once a pool doesn't rest any more.
 * A node whose bootstrap failed gets another instance, boots.h.
 * Nodes that are drained, in maintenance or to be rebooted are left as they are; and a job that Slurm held
 * because a node of it had gone, and requeued, waits again.
 * Nodes that are in no resource of the fleet's file are never touched.
 */
#pragma once

#include "serve/fleet.h"

#define RECONCILE_MS 30000 /* between two */

int reconcile(struct fleet *f, struct err *e) ATTR_MUST_USE;
