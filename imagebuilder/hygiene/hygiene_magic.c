/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises files by their first bytes: keys in binary form, keytabs, core dumps, swap areas. */
#include <elf.h>
#include <string.h>

#include "hygiene/hygiene_own.h"

static bool begins(const char *at, const char *end, const void *with, size_t len)
{
	return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}
#define BEGINS(at, end, text) begins(at, end, text, sizeof(text) - 1)

/* Parses the head of a DER element (X.690) with that tag: sets its length and returns its content;
 * or NULL. */
static const char *der(const char *p, const char *end, unsigned char tag, uint64_t *ret_len)
{
	const unsigned char *b = (const unsigned char *)p;

	if (end - p < 2 || b[0] != tag)
		return NULL;
	if (b[1] < 0x80) {
		*ret_len = b[1];
		return p + 2;
	}
	size_t n = b[1] & 0x7f;
	if (n == 0 || n > 4 || (size_t)(end - p) < 2 + n)
		return NULL;
	*ret_len = 0;
	for (size_t i = 0; i < n; i++)
		*ret_len = *ret_len << 8 | b[2 + i];
	return p + 2 + n;
}

/* Whether the content is a sequence that begins with an object identifier. */
static bool has_algorithm(const char *p, const char *end)
{
	uint64_t len;
	const char *in = der(p, end, 0x30, &len);

	return in && in < end && *in == 0x06;
}

/* PKCS #1, #8 and #12 (RFC 8017, 5208, 7292) and SEC 1 (RFC 5915). */
static bool is_der_key(const char *head, const char *end, uint64_t size)
{
	uint64_t len;
	const char *p = der(head, end, 0x30, &len);

	if (!p || (uint64_t)(p - head) + len != size)
		return false;
	if (BEGINS(p, end, "\x02\x01\x00")) {
		const char *in = der(p + 3, end, 0x02, &len);
		return (in && len >= 64) || has_algorithm(p + 3, end);
	}
	if (BEGINS(p, end, "\x02\x01\x01")) {
		const char *in = der(p + 3, end, 0x04, &len);
		return (in && len >= 16) || has_algorithm(p + 3, end);
	}
	if (BEGINS(p, end, "\x02\x01\x03")) { /* its content is data (PKCS #7), maybe signed */
		const char *in = der(p + 3, end, 0x30, &len);
		return in && BEGINS(in, end, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07");
	}
	/* Encrypted, by an algorithm of PKCS #5 or #12. */
	const char *in = der(p, end, 0x30, &len);
	return in && (BEGINS(in, end, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05") ||
	              BEGINS(in, end, "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c"));
}

/* A Java keystore: its version, its number of entries, and the type of the first one: 1
 * is a key. */
static bool is_java_key(const char *head, const char *end)
{
	return BEGINS(head, end, "\xfe\xed\xfe\xed\0\0\0") && end - head >= 16 &&
	       memcmp(head + 12, "\0\0\0\1", 4) == 0;
}

/* A secret key of OpenPGP in binary form (RFC 4880): a packet of tag 5, version 4, of an algorithm for
 * keys. */
static bool is_pgp_key(const char *head, const char *end, uint64_t size)
{
	const unsigned char *b = (const unsigned char *)head;
	size_t at = 0;

	if (end - head < 16)
		return false;
	if (b[0] == 0x94 || b[0] == 0x95) /* the length is one byte, or two */
		at = b[0] == 0x94 ? 2 : 3;
	else if (b[0] == 0xc5)
		at = b[1] < 192 ? 2 : 3;
	if (at == 0 || b[at] != 4)
		return false;
	uint64_t body = at == 2        ? b[1]
	                : b[0] == 0xc5 ? (b[1] - 192U) * 256U + b[2] + 192U
	                               : b[1] * 256U + b[2];
	unsigned algorithm = b[at + 5];
	return body >= 32 && at + body <= size &&
	       ((algorithm >= 1 && algorithm <= 3) || (algorithm >= 16 && algorithm <= 28));
}

bool hygiene_is_key(const char *head, size_t len, uint64_t size)
{
	const char *end = head + len;

	return is_der_key(head, end, size) || is_java_key(head, end) || is_pgp_key(head, end, size);
}

/* A keytab: version 2, and a first entry that fits into the file. */
bool hygiene_is_keytab(const char *head, size_t len, uint64_t size)
{
	const unsigned char *b = (const unsigned char *)head;

	if (len < 6 || b[0] != 5 || b[1] != 2)
		return false;
	uint64_t entry = (uint64_t)b[2] << 24 | (uint64_t)b[3] << 16 | (uint64_t)b[4] << 8 | b[5];
	return entry >= 16 && entry <= size - 6;
}

bool hygiene_is_core(const char *head, size_t len, uint64_t size)
{
	(void)size;
	if (len < EI_NIDENT + 2 || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	bool big = head[EI_DATA] == ELFDATA2MSB;
	return head[EI_NIDENT + big] == ET_CORE && head[EI_NIDENT + !big] == 0;
}

/* The mark is at the end of the first page, whose size depends on the machine. */
bool hygiene_is_swap(const char *head, size_t len, uint64_t size)
{
	static const char magic[] = "SWAPSPACE2";

	(void)size;
	for (size_t page = 4096; page <= 65536; page *= 2)
		if (len >= page && memcmp(head + page - 10, magic, 10) == 0)
			return true;
	return false;
}
