/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacks gzip (RFC 1952): as a whole, with a limit, as a small input may claim to be gigabytes; or
 * piece by piece.
 */
#pragma once

#include <sys/types.h>

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

/* Unpacks a file piece by piece, for those who only look at what it holds. */
struct gzip_reader;
/* From where the descriptor stands; it stays the caller's. */
struct gzip_reader *gzip_reader_open(int fd) ATTR_MUST_USE;
void gzip_reader_close(struct gzip_reader *g);
/* The next bytes, at most `len`; 0: the end, or where it is damaged or something else follows;
 * -errno. */
ssize_t gzip_reader_read(struct gzip_reader *g, char *ret, size_t len) ATTR_MUST_USE;
