/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into a tar before it is unpacked. Refused, as ERR_INPUT, before anything is written:
 * names with a `..` in them, devices but the character devices of /dev, more bytes than `ceiling`
 * (what a small file can unpack to), more than ARCHIVE_ENTRIES_MAX names. That nothing is written
 * through a link of the archive is tar's own care, which makes links last.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define ARCHIVE_ENTRIES_MAX 4000000

int archive_check(const char *path, uint64_t ceiling, uint64_t deadline,
                  struct err *e) ATTR_MUST_USE;

/* archive_check, then tar(1) into `tree`, with owners, modes and xattrs but overlayfs's; what it
 * says goes to `line`, which may be NULL. Needs root. */
int archive_unpack(const char *path, const char *tree, uint64_t ceiling, uint64_t deadline,
                   void (*line)(void *ctx, const char *line), struct err *e) ATTR_MUST_USE;
