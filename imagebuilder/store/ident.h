/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic names for the parts of a disk, so that the same inputs give the same bytes: each is
 * a function of a seed (any text, such as a digest) and the part's role.
 */
#pragma once

#include <stdint.h>

#define IDENT_UUID 37 /* characters of a UUID with its NUL */

/* 16 bytes in the text form of a UUID, lower-case. */
void ident_text(const unsigned char b[static 16], char out[static IDENT_UUID]);

/* Lower-case UUID of version 8 (RFC 9562: vendor-defined, here SHA-256 of seed and role). */
void ident_uuid(const char *seed, const char *role, char out[static IDENT_UUID]);

/* The 32-bit volume id of a FAT file system; never 0, which readers take for "none". */
uint32_t ident_volume(const char *seed, const char *role);
