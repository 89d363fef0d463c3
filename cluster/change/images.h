/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of this account that hpc-imagebuild published for a role: those with the tag hpc-node:role, which
 * its --tag gives them.
 */
#pragma once

#include "cloud/cloud.h"

#define IMAGES_TAG "hpc-node:role"

/* The newest that is available, of a role and an architecture ("x86_64"); *ret NULL: there is none. */
int images_newest(struct cloud *c, const char *role, const char *arch, struct arena *a,
                  const char **ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* The two commands that make one: lines, each with its end. */
const char *images_commands(const char *role, const char *arch, struct arena *a);
