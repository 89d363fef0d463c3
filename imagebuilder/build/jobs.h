/* SPDX-License-Identifier: Apache-2.0 */
/* What a build does in its sandbox: each stands in the file of the step or output it belongs to. */
#pragma once

#include "build/sandbox.h"

/* For sandbox_main(); NULL: there is none of that name. */
const struct sandbox_job *build_job(const char *name);
