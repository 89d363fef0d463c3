/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source of Debian packages as one line of sources.list(5):
 *
 *     deb [ OPTION=VALUE... ] URI SUITE COMPONENT...
 *
 * `deb-src` has no place in an image. A suite that ends with '/' is a path, and has no components.
 */
#pragma once

#include <stdbool.h>

#include "data/doc.h"

/* ERR_INPUT at `at` if the line is none. */
int debline_check(const struct doc *at, const char *line, struct err *e) ATTR_MUST_USE;

/* Whether the suite of a line that is one is this one. */
bool debline_is_of(const char *line, const char *suite);
