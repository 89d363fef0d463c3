/* SPDX-License-Identifier: Apache-2.0 */
/* Whose jobs are, by squeue(1). */
#pragma once

#include "ledger/ledger.h"
#include "spool/jobs.h"

/* One for each job, in `a`: its number, and its user and account where Slurm tells; "" is NULL. */
void owners_of(const struct jobs *jobs, struct ledger_owner *ret, struct arena *a);

/* What squeue printed, a job a line: "NUMBER|USER|ACCOUNT". */
void owners_parse(const char *text, const struct jobs *jobs, struct ledger_owner *ret,
                  struct arena *a);

struct ledger_owner owners_copy(const struct ledger_owner *x, struct arena *a);
/* Of one user, and one account: their nodes may have one launch. */
bool owners_same(const struct ledger_owner *x, const struct ledger_owner *y);
