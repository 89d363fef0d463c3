/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are known by their first bytes: the shortest of each kind, and what is nearly one. */
#include "unit.h"

#include <elf.h>
#include <stdlib.h>

#include "hygiene/hygiene_own.h"

#define PKCS7_DATA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
#define PKCS5      "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"
#define PKCS12     "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c"
#define ZEROS16    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS32    ZEROS16 ZEROS16
#define ZEROS63    ZEROS32 ZEROS16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* In memory of its own length: what is read behind it is seen. */
static bool is_key(const char *bytes, size_t len, uint64_t size)
{
	char *own = malloc(len ? len : 1);

	memcpy(own, bytes, len);
	bool is = hygiene_is_key(own, len, size);
	free(own);
	return is;
}

static void keys_of_der(void **state)
{
#define ROW(text, is)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1, is                                                         \
	}
	static const struct {
		const char *bytes;
		size_t len;
		bool is;
	} rows[] = {
	        /* PKCS #12 around data, and what is cut within its identifier. */
	        ROW("\x30\x0f\x02\x01\x03\x30\x0a" PKCS7_DATA, true),
	        ROW("\x30\x0e\x02\x01\x03\x30\x09\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01", false),
	        ROW("\x30\x0f\x02\x01\x03\x31\x0a" PKCS7_DATA, false),
	        ROW("\x30\x0f\x02\x01\x04\x30\x0a" PKCS7_DATA, false),
	        ROW("\x31\x0f\x02\x01\x03\x30\x0a" PKCS7_DATA, false),
	        ROW("\x30\x10\x02\x01\x03\x30\x0a" PKCS7_DATA, false), /* longer than the file */
	        ROW("\x30\x0e\x02\x01\x03\x30\x0a" PKCS7_DATA, false),
	        /* Encrypted. */
	        ROW("\x30\x0c\x30\x0a" PKCS5, true),
	        ROW("\x30\x0b\x30\x09\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01", false),
	        ROW("\x30\x0c\x30\x0a" PKCS12, true),
	        ROW("\x30\x0c\x30\x0a" PKCS7_DATA, false),
	        /* PKCS #1: a number of 64 bytes at least. */
	        ROW("\x30\x45\x02\x01\x00\x02\x40\x01" ZEROS63, true),
	        ROW("\x30\x44\x02\x01\x00\x02\x3f\x01" ZEROS63, false),
	        ROW("\x30\x81\x45\x02\x01\x00\x02\x40\x01" ZEROS63, true),
	        ROW("\x30\x84\x00\x00\x00\x45\x02\x01\x00\x02\x40\x01" ZEROS63, true),
	        ROW("\x30\x85\x00\x00\x00\x00\x45\x02\x01\x00\x02\x40\x01" ZEROS63, false),
	        ROW("\x30\x80\x02\x01\x00\x02\x40\x01" ZEROS63, false),
	        /* PKCS #8: an identifier of what it is for. */
	        ROW("\x30\x07\x02\x01\x00\x30\x02\x06\x00", true),
	        ROW("\x30\x06\x02\x01\x00\x30\x01\x06", true),
	        ROW("\x30\x05\x02\x01\x00\x30\x00", false),
	        ROW("\x30\x06\x02\x01\x00\x30\x01\x05", false),
	        ROW("\x30\x06\x02\x01\x01\x30\x01\x06", true),
	        ROW("\x30\x03\x02\x01\x00", false),
	        /* SEC 1: 16 bytes at least. */
	        ROW("\x30\x15\x02\x01\x01\x04\x10" ZEROS16, true),
	        ROW("\x30\x15\x02\x01\x01\x04\x0f" ZEROS16, false),
	        ROW("\x30\x15\x02\x01\x01\x05\x10" ZEROS16, false),
	        ROW("\x30\x00", false),
	        ROW("\x30", false),
	        ROW("", false),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_key(rows[i].bytes, rows[i].len, rows[i].len) != rows[i].is)
			fail_msg("row %zu", i);
}

static void keys_of_java_and_openpgp(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool is;
	} rows[] = {
	        ROW("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1", true),
	        ROW("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\2", false), /* a certificate */
	        ROW("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0", false),
	        ROW("\xfe\xed\xfe\xed\0\0\1\2\0\0\0\1\0\0\0\1", false),
	        ROW("\x94\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\x94\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x1f\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x20\x03\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x20\x04\0\0\0\0\0" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x20\x04\0\0\0\0\x03" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\x94\x20\x04\0\0\0\0\x04" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x20\x04\0\0\0\0\x0f" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x94\x20\x04\0\0\0\0\x10" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\x94\x20\x04\0\0\0\0\x1c" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\x94\x20\x04\0\0\0\0\x1d" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\x95\0\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\x95\x01\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	        ROW("\xc5\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", true),
	        ROW("\xc6\x20\x04\0\0\0\0\x01" ZEROS16 "\0\0\0\0\0\0\0\0\0\0", false),
	};
	char large[512] = "\xc5\xc0\x00\x04\0\0\0\0\x01";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_key(rows[i].bytes, rows[i].len, rows[i].len) != rows[i].is)
			fail_msg("row %zu", i);
	/* A length of two bytes begins at 192. */
	large[2] = '\0';
	large[3] = 4;
	assert_true(is_key(large, 3 + 192, 3 + 192));
	assert_false(is_key(large, 3 + 191, 3 + 191));
	large[1] = '\xc1';
	large[2] = 7;
	assert_true(is_key(large, 64, 3 + 192 + 256 + 7));
	assert_false(is_key(large, 64, 3 + 192 + 256 + 6));
}

static void keytabs(void **state)
{
	static const char tab[] = "\x05\x02\0\0\0\x10" ZEROS16;

	(void)state;
	assert_true(hygiene_is_keytab(tab, 6, 22));
	assert_false(hygiene_is_keytab(tab, 6, 21));
	assert_false(hygiene_is_keytab(tab, 5, 22));
	assert_false(hygiene_is_keytab("\x05\x01\0\0\0\x10", 6, 22));
	assert_false(hygiene_is_keytab("\x04\x02\0\0\0\x10", 6, 22));
	assert_false(hygiene_is_keytab("\x05\x02\0\0\0\x0f", 6, 22));
	assert_true(hygiene_is_keytab("\x05\x02\0\0\x01\x02", 6, 6 + 258));
	assert_false(hygiene_is_keytab("\x05\x02\0\0\x01\x02", 6, 6 + 257));
	assert_true(hygiene_is_keytab("\x05\x02\x01\x02\0\0", 6, 6 + 0x1020000));
	assert_false(hygiene_is_keytab("\x05\x02\x01\x02\0\0", 6, 6 + 0x101ffff));
}

static void cores_of_both_orders(void **state)
{
	char core[EI_NIDENT + 3] = ELFMAG;

	(void)state;
	core[EI_DATA] = ELFDATA2LSB;
	core[EI_NIDENT] = ET_CORE;
	assert_true(hygiene_is_core(core, EI_NIDENT + 2, 0));
	assert_false(hygiene_is_core(core, EI_NIDENT + 1, 0));
	core[EI_DATA] = ELFDATA2MSB;
	assert_false(hygiene_is_core(core, EI_NIDENT + 2, 0));
	core[EI_NIDENT] = 0;
	core[EI_NIDENT + 1] = ET_CORE;
	assert_true(hygiene_is_core(core, EI_NIDENT + 2, 0));
	core[EI_NIDENT] = 1;
	assert_false(hygiene_is_core(core, EI_NIDENT + 2, 0));
	core[EI_NIDENT] = 0;
	core[EI_NIDENT + 1] = ET_EXEC;
	assert_false(hygiene_is_core(core, EI_NIDENT + 2, 0));
	core[EI_NIDENT + 1] = ET_CORE;
	core[3] = 'f';
	assert_false(hygiene_is_core(core, EI_NIDENT + 2, 0));
}

static void swap_areas_of_each_page(void **state)
{
	char *area = calloc(1, 131072);

	(void)state;
	for (size_t page = 2048; page <= 131072; page *= 2) {
		bool is = page >= 4096 && page <= 65536;

		memset(area, 0, 131072);
		memcpy(area + page - 10, "SWAPSPACE2", 10);
		assert_true(hygiene_is_swap(area, page, page) == is);
		assert_false(hygiene_is_swap(area, page - 1, page));
		area[page - 1] = '1';
		assert_false(hygiene_is_swap(area, page, page));
	}
	free(area);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(keys_of_der),
	        cmocka_unit_test(keys_of_java_and_openpgp),
	        cmocka_unit_test(keytabs),
	        cmocka_unit_test(cores_of_both_orders),
	        cmocka_unit_test(swap_areas_of_each_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
