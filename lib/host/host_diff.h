/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/host: what a dry host tells of a file beyond the change itself (host.h). */
#pragma once

#include "host/host_own.h"

#define HOST_DIFF_MAX (256UL << 10) /* larger content isn't compared */

/* A file's content before it is assumed to be changed. */
struct host_before {
	bool there;  /* a regular file */
	bool hidden; /* not everybody may read it */
	bool large;
	struct blob content;
};

/* Records it, behind the change's own line. */
void host_diff_tell(const struct host *h, const struct host_before *before, struct blob content,
                    unsigned mode, struct arena *a);
