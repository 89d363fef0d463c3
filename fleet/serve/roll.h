/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes whose instances were launched otherwise than the fleet's file says now, by image or anything else:
 * drained and powered down by Slurm, a few at once, as soon as their jobs have ended. They come back with what
 * the file says when Slurm wants them; static ones, NAME-st-NAME-N, are powered up again.
 */
#pragma once

#include "launch/site.h"
#include "ledger/ledger.h"

/* How that instance differs; NULL: it doesn't, has ended, or is in no resource of the file. */
const char *roll_difference(const struct site *s, const struct ledger_launch *l,
                            const struct ledger_place *p);
