/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/aws/ebs*.c. */
#pragma once

#include "aws/ebs.h"
#include "cloud/call.h"

int ebs_place(struct cloud *c, struct call *k, struct arena *a, struct err *e);
bool ebs_custom(const struct cloud *c);
extern const struct awserr_row ebs_rows[];

#define EBS_SETTLE_MS 120000 /* how long a new snapshot may be unknown to parts of EBS */
