/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger has, for people. */
#pragma once

#include "ledger/ledger.h"

/* "failed", "launched", ... */
const char *show_state(const struct ledger_launch *l, const struct ledger_place *p);

/* A line on standard output: when, which node, its state, its instance, where, and why. */
void show_line(const struct ledger_launch *l, const struct ledger_place *p);
