/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of instance types: what is shipped, and what an administrator adds. */
#pragma once

#include "base/err.h"
#include "model/instance.h"

/*
 * Reads them; a type of the second takes the place of one of the first: share/hpc-node/instance-types.tsv of the directory
 * that this program is installed below, and /etc/hpc-node/instance-types.tsv.
 */
int types_read(struct arena *a, struct instance_table *ret, struct err *e) ATTR_MUST_USE;
