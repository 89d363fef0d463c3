/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of an architecture that this machine isn't: its kernel can start an emulator for them
 * (Documentation/admin-guide/binfmt-misc.rst; Debian: qemu-user-static). Only an entry with the flag
 * F counts: its emulator was opened when it was registered, so that it is found inside an image,
 * too, which has none.
 */
#pragma once

#include "base/err.h"

#define EMULATION_BINFMT "/proc/sys/fs/binfmt_misc"

/*
 * Whether programs of the architecture ("x86_64" or "arm64") run here, natively or by an entry in
 * `binfmt`, normally EMULATION_BINFMT. If not, ERR_HOST about the image of `file`, with what to
 * install.
 */
int emulation_check(const char *file, const char *arch, const char *binfmt,
                    struct err *e) ATTR_MUST_USE;
