/* SPDX-License-Identifier: Apache-2.0 */
/* Disks in the format qcow2: made raw to be looked into, without a mount. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/*
 * Writes the raw disk, sparse, to a new file with qemu-img. ERR_INPUT for what is no qcow2, and for
 * one that takes content from other files (a backing file, a data file): those would be read with
 * our rights. A damaged one is ERR_INTEGRITY.
 */
int qcow2_to_raw(const char *file, const char *raw, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* The same for its first 64 KiB, in which its partition table is; the rest is a hole. */
int qcow2_begin_to_raw(const char *file, const char *raw, uint64_t deadline,
                       struct err *e) ATTR_MUST_USE;
