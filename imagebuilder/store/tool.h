/* SPDX-License-Identifier: Apache-2.0 */
/* Checks for programs of this machine, before any work. */
#pragma once

#include "base/err.h"

/* Checks that it is in the search path; else ERR_HOST with the package to install. */
int tool_need(const char *name, const char *package, struct err *e) ATTR_MUST_USE;
