/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks a snapshot gets, and the checksum that completes it. */
#include "unit.h"

#include <stdlib.h>

#include "base/digest.h"
#include "publish/upload.h"

static unsigned char zero[SHA256_LEN];

static struct blocks *blocks(uint32_t n, const char *content)
{
	struct blocks *b = calloc(1, sizeof *b);

	b->n = n;
	b->sha256 = calloc(n ? n : 1, sizeof *b->sha256);
	for (uint32_t i = 0; i < n; i++)
		if (content[i] != '.')
			memset(b->sha256[i], content[i], SHA256_LEN);
	return b;
}

static void drop(struct blocks *b)
{
	free(b->sha256);
	free(b);
}

/* The digest of these blocks' digests; '.' is a block of zeros. */
static void assert_sum(const char *image, const char *parent, const char *sent)
{
	struct blocks *b = blocks((uint32_t)strlen(image), image);
	struct blocks *p = parent ? blocks((uint32_t)strlen(parent), parent) : NULL;
	struct digest *d = digest_new();
	unsigned char want[SHA256_LEN], got[SHA256_LEN], one[SHA256_LEN];
	uint32_t n = 99;

	for (const char *c = sent; *c; c++) {
		memset(one, *c, sizeof one);
		digest_add(d, *c == '.' ? zero : one, SHA256_LEN);
	}
	digest_sum(d, want);
	digest_close(d);
	upload_sum(b, p, &n, got);
	assert_int_equal(n, strlen(sent));
	assert_memory_equal(got, want, sizeof want);
	drop(b);
	if (p)
		drop(p);
}

static void without_a_parent_zeros_are_not_sent(void **state)
{
	(void)state;
	assert_sum("", NULL, "");
	assert_sum("...", NULL, "");
	assert_sum("a.b", NULL, "ab");
}

static void of_a_parent_only_what_differs_is(void **state)
{
	(void)state;
	assert_sum("abc", "abc", "");
	assert_sum("axc", "abc", "x");
	assert_sum("abcd", "ab", "cd");
	assert_sum("ab..", "ab", "");
}

/* Else the parent's would show through. */
static void a_block_that_became_zero_is_sent(void **state)
{
	(void)state;
	assert_sum("a.c", "abc", ".");
	assert_sum("a", "abc", "..");
	assert_sum("", "a.", ".");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_a_parent_zeros_are_not_sent),
	        cmocka_unit_test(of_a_parent_only_what_differs_is),
	        cmocka_unit_test(a_block_that_became_zero_is_sent),
	};
	void *block = calloc(1, BLOCKS_SIZE);

	digest_sha256(block, BLOCKS_SIZE, zero);
	free(block);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
