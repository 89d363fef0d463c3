/* SPDX-License-Identifier: Apache-2.0 */
/* The architectures of images, under EC2's names, and the other names that they have. */
#pragma once

#include <stdbool.h>

#include "data/doc.h"

/* NULL-terminated: the names that recipes may have, "aarch64" and "amd64" among them. */
extern const char *const arch_names[];

/* EC2's name for that row: "x86_64" or "arm64". */
const char *arch_name(int row);

/* The same of this machine, or uname(2)'s word where there is no row for it. */
const char *arch_native(void);

/* ERR_INPUT at `at` for one that isn't in arch_names. */
int arch_check_name(const struct doc *at, const char *name, struct err *e) ATTR_MUST_USE;

/* Whether that name, of arch_names, means that architecture, of arch_name(). */
bool arch_is(const char *arch, const char *name);
