/* SPDX-License-Identifier: Apache-2.0 */
/* The distributions that images are made of, "debian:bookworm": a name and a release. */
#pragma once

#include <stdbool.h>

#include "data/doc.h"

/* The distribution of exactly that name and release; ERR_INPUT at `at` if there is none. */
int distribution_find(const struct doc *at, const char *name, const char **ret,
                      struct err *e) ATTR_MUST_USE;

/* The same for a name that may be without its release, "debian". */
int distribution_check_name(const struct doc *at, const char *name, struct err *e) ATTR_MUST_USE;

/* Whether such a name means that distribution: both "debian" and "debian:bookworm" mean
 * "debian:bookworm". */
bool distribution_is(const char *distribution, const char *name);
