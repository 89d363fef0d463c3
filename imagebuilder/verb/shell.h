/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"

/* The command that opens a shell in the failed step of that recipe; store NULL: the default one. */
const char *shell_command(const char *recipe, const char *store, struct arena *a);
