/* SPDX-License-Identifier: Apache-2.0 */
/* How two locks of a recipe differ. */
#pragma once

#include "lock/lock.h"

struct lock_change {
	const char *of;        /* "package" or "file" */
	const char *name;      /* with the architecture where it isn't the image's: "libc6:i386" */
	const char *from, *to; /* versions, or digests of files; NULL: it isn't there */
	bool same_version;     /* of a package whose content is another */
};

/* Calls it for each, packages first, by name. */
void lock_changes(const struct lock *was, const struct lock *now,
                  void (*change)(void *ctx, const struct lock_change *c), void *ctx);
