/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the blocks of a file that a disk is read from. */
#include "disk/blocks.h"
#include "fuzz_file.h"

static void check_same(const struct blocks *a, const struct blocks *b)
{
	FUZZ_CHECK(a->n == b->n);
	for (uint32_t i = 0; i < a->n; i++)
		FUZZ_CHECK(blocks_same(a, b, i));
	FUZZ_CHECK(blocks_zero(a, a->n) && blocks_zero(a, UINT32_MAX));
}

/* Twice each input: as the file that is kept, where nothing but what was written whole is taken;
 * and as a list to be kept, which then reads as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_blocks struct blocks kept = {0};
	struct err e = {0};

	fuzz_put("blocks", data, size);
	int r = blocks_load(fuzz_dir(), "blocks", &kept, &e);
	FUZZ_CHECK(r == 0 || (e.no == -r && e.kind == ERR_INTEGRITY));
	uint32_t n = (uint32_t)(size / SHA256_LEN);
	if (n == 0 || n > 64)
		return 0;
	scope_blocks struct blocks out = {.n = n, .sha256 = calloc(n, SHA256_LEN)};
	scope_blocks struct blocks in = {0};
	FUZZ_CHECK(out.sha256);
	memcpy(out.sha256, data, (size_t)n * SHA256_LEN);
	struct err none = {0};
	FUZZ_CHECK(blocks_save(&out, fuzz_dir(), "saved", &none) == 0);
	FUZZ_CHECK(blocks_load(fuzz_dir(), "saved", &in, &none) == 0);
	check_same(&in, &out);
	return 0;
}
