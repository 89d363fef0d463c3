/* SPDX-License-Identifier: Apache-2.0 */
/* Derives names for the parts of a disk from a seed. */
#include "store/ident.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

static void hash(const char *seed, const char *role, unsigned char out[static SHA256_LEN])
{
	/* A keyed hash, so that seed and role can't be confused. */
	digest_hmac(seed, strlen(seed), role, strlen(role), out);
}

void ident_text(const unsigned char b[static 16], char out[static IDENT_UUID])
{
	snprintf(out, IDENT_UUID,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	         b[15]);
}

void ident_uuid(const char *seed, const char *role, char out[static IDENT_UUID])
{
	unsigned char b[SHA256_LEN];

	hash(seed, role, b);
	b[6] = (unsigned char)(0x80 | (b[6] & 0x0f)); /* version 8 */
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f)); /* the RFC's variant */
	ident_text(b, out);
}

uint32_t ident_volume(const char *seed, const char *role)
{
	unsigned char b[SHA256_LEN];

	hash(seed, role, b);
	uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return v ? v : 1;
}
