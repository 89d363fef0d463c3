/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests run in a sandbox: a job of theirs, that looks at what it has. */
#pragma once

#include "sandbox/sandbox_own.h"

enum what { LOOK, DENIED, FAIL, DIE, END, HANG, TALK, READ, BESIDE, NAMES, CROWD, BARE, STAY };

struct job {
	uint64_t what;
	const char *text;
};

extern const struct sandbox_job job_row;

/* By its name, for `sandbox_main`. */
const struct sandbox_job *job_find(const char *name);

/* Whether this kernel has the calls of 32 bits, whose numbers are others. */
bool job_has_table32(void);
