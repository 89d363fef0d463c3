/* SPDX-License-Identifier: Apache-2.0 */
/* Ends the instances that nobody wants. */
#pragma once

#include "serve/fleet.h"

/* Those of the ledger. What EC2 doesn't end now is asked again soon. */
int finish_unwanted(struct fleet *f, struct err *e) ATTR_MUST_USE;
/* One that the ledger doesn't have, or has as ended. */
void finish_stray(struct fleet *f, const char *id, const char *why);
