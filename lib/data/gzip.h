/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952), unpacked whole and bounded: a small input may claim to be gigabytes. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Begins with the magic number of gzip. */
static inline bool gzip_is(struct blob in)
{
	return in.len >= 3 && memcmp(in.data, "\x1f\x8b\x08", 3) == 0;
}

/*
 * All members one after the other, terminated by a NUL that is not counted. Kind ERR_INPUT when it
 * is cut short, damaged (length and CRC are checked), followed by anything else, or unpacks to more
 * than `ceiling` bytes; memory stays below twice the ceiling. Messages have no place: err_wrap().
 */
int gzip_unpack(struct blob in, size_t ceiling, struct arena *a, struct blob *ret,
                struct err *e) ATTR_MUST_USE;
