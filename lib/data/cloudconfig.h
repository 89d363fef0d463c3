/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud-config, the YAML that cloud-init takes as user data: a file that it is told to write.
 *
 * cloud-init warns of user data that it doesn't know, and nothing of ours can be hidden in a document
 * of its own but a file. It is read as another program's: what is wrong in it is not ours to report.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* Whether the first line says so, as cloud-init wants it: "#cloud-config". */
bool cloudconfig_is(struct blob text);

/* The content of the last entry of `write_files` for that path, base64 taken off where its encoding
 * says so (then it may be gzip); empty when there is none, or none that can be read. */
struct blob cloudconfig_file(struct blob text, const char *path, struct arena *a);
