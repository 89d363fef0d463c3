/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"

/* What a person types to look into the step of that recipe that failed; store NULL: the default
 * one. */
const char *shell_command(const char *recipe, const char *store, struct arena *a);
