/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch asks of EC2: the fleet's file, and a launch of the ledger, as parameters. */
#pragma once

#include "aws/instances.h"
#include "launch/site.h"
#include "ledger/ledger.h"

/* All in `a`. It is a function of the two, as a request that is repeated must be the same. */
struct instances_launch shape_of(const struct site *s, const struct site_resource *r,
                                 const struct ledger_launch *l, struct arena *a);
