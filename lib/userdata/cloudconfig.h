/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud-config, the YAML that cloud-init takes as user data: finds a file that it is told to write.
 *
 * cloud-init warns of user data that it doesn't know, so the only place for our document in a
 * cloud-config is a file. The text is treated as another program's: its faults are not ours to
 * report.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* Whether the first line is "#cloud-config", in the form cloud-init requires. */
bool cloudconfig_is(struct blob text);

/* The content of the last entry of `write_files` for that path, base64 decoded if its encoding says
 * so (then it may be gzip); empty if there is none, or none that can be read. */
struct blob cloudconfig_file(struct blob text, const char *path, struct arena *a);
