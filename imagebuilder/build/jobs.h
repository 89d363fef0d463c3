/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs a build runs in its sandbox; each is defined in the file of the step or output it
 * belongs to. */
#pragma once

#include "sandbox/sandbox.h"

/* For sandbox_main(); NULL: there is no job of that name. */
const struct sandbox_job *build_job(const char *name);
