/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks compressed with zstd, by libarchive: NAME.raw.zst, as `zstd -d` reads them. The bytes are a
 * function of the disk's.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define PACK_SUFFIX ".zst"

/* Compresses the file `from` to `fd`. */
int pack_write(const char *from, int fd, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/*
 * Writes what `from` holds to the new file `to`, blocks of zeros as holes. ERR_INPUT for what is
 * not compressed with zstd, ends early, or is longer than `ceiling` bytes.
 */
int pack_read(const char *from, const char *to, uint64_t ceiling, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;
