/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC and Ed25519, by libcrypto. */
#include "base/digest.h"

#include <stdlib.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/str.h"

/* libcrypto fails here only without memory or without its default provider: it is impossible to
 * continue then. */
static void must(int ok)
{
	if (!ok)
		abort();
}

struct digest *digest_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
	return (struct digest *)ctx;
}

void digest_close(struct digest *d)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)d);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate((EVP_MD_CTX *)d, data, len));
}

void digest_sum(struct digest *d, unsigned char out[static SHA256_LEN])
{
	must(EVP_DigestFinal_ex((EVP_MD_CTX *)d, out, NULL));
}

void digest_sha256(const void *data, size_t len, unsigned char out[static SHA256_LEN])
{
	must(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL));
}

void digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                 unsigned char out[static SHA256_LEN])
{
	must(HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) != NULL);
}

void digest_hex(const void *data, size_t len, char out[static SHA256_HEX])
{
	unsigned char sum[SHA256_LEN];

	digest_sha256(data, len, sum);
	str_hex(sum, sizeof sum, out);
}

const char *const digest_names[DIGEST_KINDS] = {
        [DIGEST_MD5] = "MD5",
        [DIGEST_SHA1] = "SHA1",
        [DIGEST_SHA256] = "SHA256",
        [DIGEST_SHA512] = "SHA512",
};

int digest_kind(const char *name)
{
	for (int i = 0; i < DIGEST_KINDS; i++)
		if (strcasecmp(name, digest_names[i]) == 0)
			return i;
	return -1;
}

static const EVP_MD *method(enum digest_kind kind)
{
	const EVP_MD *const methods[DIGEST_KINDS] = {
	        [DIGEST_MD5] = EVP_md5(),
	        [DIGEST_SHA1] = EVP_sha1(),
	        [DIGEST_SHA256] = EVP_sha256(),
	        [DIGEST_SHA512] = EVP_sha512(),
	};

	return methods[kind];
}

size_t digest_hex_len(enum digest_kind kind)
{
	return 2 * (size_t)EVP_MD_get_size(method(kind));
}

bool digest_is_strong(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 || kind == DIGEST_SHA512;
}

struct digest *digest_new_of(enum digest_kind kind)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL);
	if (EVP_DigestInit_ex(ctx, method(kind), NULL))
		return (struct digest *)ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

void digest_sum_hex(struct digest *d, char out[static DIGEST_HEX_MAX])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	must(EVP_DigestFinal_ex((EVP_MD_CTX *)d, sum, &n));
	str_hex(sum, n, out);
}

bool digest_hex_of(enum digest_kind kind, const void *data, size_t len,
                   char out[static DIGEST_HEX_MAX])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (!EVP_Digest(data, len, sum, &n, method(kind), NULL))
		return false;
	str_hex(sum, n, out);
	return true;
}

bool digest_ed25519_verify(const unsigned char key[static DIGEST_ED25519_KEY], const void *data,
                           size_t len, const unsigned char sig[static DIGEST_ED25519_SIG])
{
	EVP_PKEY *public_key =
	        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, DIGEST_ED25519_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	bool good = public_key && ctx &&
	            EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public_key) == 1 &&
	            EVP_DigestVerify(ctx, sig, DIGEST_ED25519_SIG, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public_key);
	return good;
}
