/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of records that only grows, for what must be known after a crash: one record a line,
 * "DIGEST TEXT", DIGEST being the first 16 hex digits of the text's SHA-256.
 *
 * A process killed, or a machine that stops, at any moment leaves what was synced, and perhaps a
 * part of what was written after that. Reading ends at the first line that isn't whole; that line
 * and all behind it count as never written, and opening cuts them off.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define RECORDS_TEXT_MAX (1UL << 20) /* bytes of one record */
#define RECORDS_FILE_MAX (64UL << 20)

/* A record; a failure ends the reading with its error. */
typedef int records_fn(void *ctx, const char *text, struct err *e);

struct records {
	int fd;      /* < 0: it isn't open */
	size_t size; /* bytes that are in the file */
};
#define RECORDS_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * The records of a file, in their order; *ret_size (may be NULL) is where the first broken one
 * begins, or the end, and *ret_torn how many bytes are behind it.
 */
int records_read(const char *path, records_fn *record, void *ctx, size_t *ret_size,
                 size_t *ret_torn, struct err *e) ATTR_MUST_USE;

/* The same, then ready to be written to; a missing file is made, and a torn end cut off. It is
 * locked against a second writer: -EBUSY, REASON_BUSY. */
int records_open(struct records *j, const char *path, records_fn *record, void *ctx,
                 struct err *e) ATTR_MUST_USE;
void records_close(struct records *j);
#define scope_records __attribute__((cleanup(records_close)))

/* Writes one record, without a newline in it; only records_sync() makes sure that it stays. */
int records_add(struct records *j, const char *text, struct err *e) ATTR_MUST_USE;
int records_sync(struct records *j, struct err *e) ATTR_MUST_USE;

/* A record as it is in the file, with its newline: for writing a whole new one. */
void records_line(const char *text, struct strbuf *out);
