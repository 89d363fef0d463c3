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
#include "data/field.h"

/* ERR_INPUT at `at` if the line is none. */
int debline_check(const struct doc *at, const char *line, struct err *e) ATTR_MUST_USE;

/* The files of keys that its `signed-by` names, absolute paths in the line's order; fingerprints of
 * keys are left out. The strings are of the arena. */
struct field_strings debline_keys(const char *line, struct arena *a);

/* Whether the suite of a line that is one is this one. */
bool debline_is_of(const char *line, const char *suite);
