/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verify*.c files. */
#pragma once

#include "look/verify.h"

/* Checks that what the image's manifest says is true. */
int verify_manifest(struct verify *v, struct err *e) ATTR_MUST_USE;
/* What the manifest says was allowed when the image was built: rows only, none without a manifest
 * that can be read. */
void verify_allowed(struct verify *v, struct hygiene_intent *ret);

/* Checks that a disk has a boot loader for each firmware it has a partition for, and that it is the
 * image's own. */
int verify_boot(struct verify *v, struct err *e) ATTR_MUST_USE;

void verify_tell(struct verify *v, const char *check, enum verify_state state, const char *what,
                 ...) ATTR_PRINTF(4, 5);
