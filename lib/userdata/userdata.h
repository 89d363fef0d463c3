/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EC2 user data: finds our node document in it.
 *
 * Accepted, at the top and inside a MIME part, each possibly base64 or gzip (RFC 1952) and bounded:
 * the document itself (first line "#hpc-node"; blank lines before it, indentation and a space
 * behind the # are tolerated, and UTF-16 with its byte order mark); or one part of type
 * text/x-hpc-node of a MIME multipart message (RFC 2046); or cloud-config that writes
 * /etc/hpc-node/node.yaml, the only form that cloud-init accepts without a warning. Anything else -
 * a shell script, other cloud-config, nothing - is not ours and not an error: the result is empty.
 * EC2 delivers at most 16 KiB of user data; the limits for unpacked data are at the top of
 * userdata.c.
 *
 * Parts of other types are not unpacked, except those that don't say what they hold (text/plain,
 * octet-stream, gzip), and a fault in such a part is not ours to report. A part that is ours and
 * can't be read, ends early, is empty, or comes a second time is an error.
 */
#pragma once

#include "data/doc.h"

#define USERDATA_SIZE_MAX (64 * 1024) /* bytes as handed over */

/* The text of the node document inside, or an empty blob; it points into `raw` or the arena.
 * Messages name the text "user-data". */
int userdata_find(struct blob raw, struct arena *a, struct blob *ret, struct err *e) ATTR_MUST_USE;

/* What user data is, for messages: "empty", "a shell script", "cloud-config", ... Static storage. */
const char *userdata_describe(struct blob raw);

/* If userdata_find() found nothing: why the user data looks as if it was meant to be ours, or NULL.
 * Static storage. */
const char *userdata_near(struct blob raw);
