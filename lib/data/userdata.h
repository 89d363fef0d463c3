/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EC2 user data: where in it our node document is.
 *
 * Understood, at the top and inside a MIME part, each possibly base64 or gzip (RFC 1952) and
 * bounded: the document itself (first line "#hpc-node"), or one part of type text/x-hpc-node of a
 * MIME multipart message (RFC 2046). Anything else - a shell script, cloud-config, nothing - is not
 * ours and not an error: the result is empty. User data is at most 16 KiB as EC2 hands it over;
 * unpacked ceilings stand at the top of userdata.c.
 */
#pragma once

#include "data/doc.h"

/* The text of the node document inside, or an empty blob. Two such parts are an error. */
int userdata_find(struct blob raw, struct arena *a, struct blob *ret, struct err *e) ATTR_MUST_USE;
