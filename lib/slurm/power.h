/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a job's nodes are powered up, as slurmctld sees it.
 *
 * slurmctld starts a batch job on a node that it resumed only at its next pass of every 30 s, unless
 * the job's PrologSlurmctld ends after the power-up: then at once (22.05 to 26.05).
 */
#pragma once

#include "base/arena.h"
#include "host/host.h"

/*
 * Returns once no node of the list ("q-dy-a-[1-3]") is powered down, powering up or not responding,
 * or one of them is down: then there is nothing to wait for. `env` as in struct host_exec: for
 * Slurm's programs. An error only when slurmctld's answers end or the deadline comes.
 */
int power_wait(struct host *h, const char *nodes, const char *const *env, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;

/* From what `sinfo -h -o %T` prints of them, one state a line. */
bool power_is_settled(const char *states);
