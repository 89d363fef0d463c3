/* SPDX-License-Identifier: Apache-2.0 */
/* Private to instances*.c. */
#pragma once

#include "aws/ec2_own.h"
#include "aws/instances.h"

/* All parameters of RunInstances, but user data. */
void instances_put(struct ec2_form *f, const struct instances_launch *l);
