/* SPDX-License-Identifier: Apache-2.0 */
/* A compute node whose bootstrap failed says so to its head, where hpc-fleet reads it. */
#pragma once

#include "agent/agent.h"
#include "plan/run.h"

/* `cause` decided the outcome; NULL: nothing is known. Does nothing where the plan has no slurmd, or the
 * machine no instance; what can't be told is logged. */
void tell_failed(struct agent *g, const struct step_outcome *outcomes, const struct err *cause);
