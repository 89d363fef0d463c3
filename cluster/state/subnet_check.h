/* SPDX-License-Identifier: Apache-2.0 */
/* The subnets that a file names, as EC2 knows them. */
#pragma once

#include "data/faults.h"
#include "state/state.h"

/* Looks at them all by one call: each is there and in one network. *vpc is that network; one that is given
 * (not NULL) has to be it. What is wrong is a fault of the file, with its place. */
int subnet_check(struct life *l, const struct doc *config, struct faults *faults, const char **vpc,
                 struct err *e) ATTR_MUST_USE;
