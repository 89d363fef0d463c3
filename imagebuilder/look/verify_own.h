/* SPDX-License-Identifier: Apache-2.0 */
/* What the verify*.c files share. */
#pragma once

#include "look/verify.h"

/* What the image says of itself is so. */
int verify_manifest(struct verify *v, struct err *e) ATTR_MUST_USE;

void verify_tell(struct verify *v, const char *check, enum verify_state state, const char *what,
                 ...) ATTR_PRINTF(4, 5);
