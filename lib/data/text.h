/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every text reader needs first: the line and column of a byte, and whether the input is text
 * at all.
 *
 * Lines end with LF, CRLF or CR and count from 1. Columns count characters (code points) from 1, as
 * editors show them.
 */
#pragma once

#include "data/doc.h"

/* A position that only moves forward, so that locating every token of a text costs one pass over
 * it. */
struct text_place {
	size_t offset;
	unsigned line, col;
};

#define TEXT_START                                                                                 \
	(struct text_place)                                                                        \
	{                                                                                          \
		.offset = 0, .line = 1, .col = 1                                                   \
	}

/* Moves to the byte at `to`, which is not before p->offset; past the end counts as the end. */
void text_advance(struct text_place *p, struct blob text, size_t to);

/* A node without content at that byte's place, for doc_err(). */
struct doc text_at(const char *file, struct blob text, size_t offset);

/* At most `ceiling` bytes, valid UTF-8, no NUL; the message points at the first byte that violates
 * this. */
int text_check(const char *file, struct blob text, size_t ceiling, struct err *e) ATTR_MUST_USE;
