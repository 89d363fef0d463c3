/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the output files of a finished tree. */
#pragma once

#include "build/build_tree.h"
#include "sandbox/sandbox.h"

/* A format is "dir", "tar", "raw", "qcow2", or what output_compressed() makes of one. */

/* Whose output is smaller: its bytes are compressed, by zstd in a file of its own or, of a qcow2 disk,
 * within. A directory stays what it is. */
const char *output_compressed(const char *format);
/* What its files' names end with, with the dot: ".raw.zst". */
const char *output_extension(const char *format);
bool output_is_disk(const char *format);
/* Whether it is made of a raw disk that is written beside it. */
bool output_wants_raw(const char *format);

/* Writes one format at the path, replacing what is there in one step. An
 * existing output made from the same inputs is kept: *ret_written is then false. */
int output_write(const struct recipe *recipe, const struct built *b, struct store *s,
                 const char *format, const char *path, bool *ret_written,
                 struct err *e) ATTR_MUST_USE;
/* Checks, before any work, that its tools are installed. */
int output_check(const struct recipe *r, const char *format, struct err *e) ATTR_MUST_USE;
/* The job it runs in the sandbox. */
extern const struct sandbox_job output_job;
