/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks gzip (RFC 1952) as a whole, with a limit: a small input may claim to be gigabytes. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Whether it begins with gzip's magic number. */
static inline bool gzip_is(struct blob in)
{
	return in.len >= 3 && memcmp(in.data, "\x1f\x8b\x08", 3) == 0;
}

/*
 * All members, one after the other, terminated by a NUL that is not counted. ERR_INPUT if it is cut
 * short, damaged (length and CRC are checked), followed by anything else, or unpacks to more than
 * `ceiling` bytes; memory stays below twice the ceiling. Messages have no place: use err_wrap().
 */
int gzip_unpack(struct blob in, size_t ceiling, struct arena *a, struct blob *ret,
                struct err *e) ATTR_MUST_USE;
