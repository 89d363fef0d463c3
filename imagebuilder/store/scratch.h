/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary directories in a store, for outputs and tests. */
#pragma once

#include "store/store.h"

struct scratch {
	char path[2200];
	int lock; /* a descriptor; -1: there is none */
};
#define SCRATCH_INIT                                                                               \
	{                                                                                          \
		.lock = -1                                                                         \
	}
/* An empty directory with a unique name; pruning leaves it alone while it is open. */
int scratch_open(const struct store *s, struct scratch *ret, struct err *e) ATTR_MUST_USE;
/* Removes it. */
void scratch_close(struct scratch *c);
#define scope_scratch __attribute__((cleanup(scratch_close)))
