/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox*.c files share. */
#pragma once

#include "build/sandbox.h"

/* In the first process of the new namespaces: makes the mounts and enters the image. */
int sandbox_enter(const struct sandbox *s, struct err *e) ATTR_MUST_USE;
/* Takes out again what was put into the image only for the time of the build. */
void sandbox_leave(const struct sandbox *s);
/* From now on, for all children: no syncing; with an image, no right to change the kernel. */
int sandbox_confine(const struct sandbox *s, struct err *e) ATTR_MUST_USE;
