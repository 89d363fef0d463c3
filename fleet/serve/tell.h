/* SPDX-License-Identifier: Apache-2.0 */
/* Failures, told where the user looks: the node's reason, and the comment of jobs that wait for it. */
#pragma once

#include "aws/ec2_refusal.h"
#include "serve/fleet.h"

/* "InsufficientInstanceCapacity: t3.micro in subnet-1 (request ID)"; `where` is ledger_where()'s. */
const char *tell_why(const struct ec2_refusal *said, const struct err *e, const char *where,
                     struct arena *a);

/* Those nodes are down in Slurm, with that reason, and their jobs have it as AdminComment; where Slurm can't
 * be told, only the log is. */
void tell_failed(const char *const *nodes, size_t n, const char *why);
