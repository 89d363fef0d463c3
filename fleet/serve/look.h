/* SPDX-License-Identifier: Apache-2.0 */
/* Lists instances as fast as EC2 lets us: takes its bucket's tokens, and slows it where EC2 throttles. */
#pragma once

#include "aws/instances.h"
#include "serve/fleet.h"

/* As instances_list(); ERR_RETRY with an empty code in *said also where the bucket is empty, and then
 * EC2 wasn't asked. */
int look(struct fleet *f, const struct instances_query *q, struct arena *a, struct instances *ret,
         struct ec2_refusal *said, struct err *why) ATTR_MUST_USE;
