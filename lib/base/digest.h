/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), its HMAC (RFC 2104), Ed25519 (RFC 8032) and the digests that others use, by
 * libcrypto. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define SHA256_LEN 32
#define SHA256_HEX (2 * SHA256_LEN + 1)

struct digest; /* a hash in progress, opaque */

struct digest *digest_new(void) ATTR_MUST_USE;
void digest_close(struct digest *d); /* NULL is fine */
void digest_add(struct digest *d, const void *data, size_t len);
void digest_sum(struct digest *d, unsigned char out[static SHA256_LEN]); /* once; then only free */

static inline void digest_closep(struct digest **d)
{
	digest_close(*d);
	*d = 0;
}
#define scope_digest __attribute__((cleanup(digest_closep)))

/* Digests as other programs' documents name them; the names in any case. */
enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_KINDS };
extern const char *const digest_names[DIGEST_KINDS]; /* "MD5", ... */
#define DIGEST_HEX_MAX 129
/* -1: none of these names. */
int digest_kind(const char *name) ATTR_MUST_USE;
size_t digest_hex_len(enum digest_kind kind); /* of its hex digits */
/* In progress. NULL: this machine's libcrypto doesn't provide it. */
struct digest *digest_new_of(enum digest_kind kind) ATTR_MUST_USE;
/* Its lower-case hex; once. */
void digest_sum_hex(struct digest *d, char out[static DIGEST_HEX_MAX]);
/* Whether content can't be made to have a given digest, or two contents the same one. */
bool digest_is_strong(enum digest_kind kind);
/* Lower-case hex of the digest of data; false: this machine's libcrypto doesn't provide it. */
bool digest_hex_of(enum digest_kind kind, const void *data, size_t len,
                   char out[static DIGEST_HEX_MAX]);

void digest_sha256(const void *data, size_t len, unsigned char out[static SHA256_LEN]);
void digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 unsigned char out[static SHA256_LEN]);
/* Lower-case hex of the digest of data. */
void digest_hex(const void *data, size_t len, char out[static SHA256_HEX]);

#define DIGEST_ED25519_KEY 32
#define DIGEST_ED25519_SIG 64
/* True when sig is key's Ed25519 signature (RFC 8032, pure) of the data. */
bool digest_ed25519_verify(const unsigned char key[static DIGEST_ED25519_KEY], const void *data,
                           size_t len, const unsigned char sig[static DIGEST_ED25519_SIG]);
