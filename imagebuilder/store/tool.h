/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of this machine, looked for before any work. */
#pragma once

#include "base/err.h"

/* It is where programs are looked for; else ERR_HOST with the package to install. */
int tool_need(const char *name, const char *package, struct err *e) ATTR_MUST_USE;
