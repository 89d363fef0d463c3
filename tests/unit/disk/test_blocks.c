/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of raw disks: scanned, kept, loaded and compared. */
#include "unit.h"

#include <errno.h>

#include "disk/blocks.h"
#include "trees.h"

static int open_disk(struct trees *t, size_t size)
{
	int fd = open(t->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void test_a_scan(void **state)
{
	struct trees *t = *state;
	scope_blocks struct blocks a = {0};
	scope_blocks struct blocks b = {0};
	static unsigned char block[BLOCKS_SIZE];
	unsigned char want[SHA256_LEN];
	struct err e;
	int fd = open_disk(t, 3 * BLOCKS_SIZE + 1);

	assert_int_equal(pwrite(fd, "x", 1, BLOCKS_SIZE + 5), 1);
	assert_int_equal(pwrite(fd, "y", 1, 3 * BLOCKS_SIZE), 1);
	assert_ok(blocks_scan(fd, "disk", &a, &e));
	assert_int_equal(a.n, 4);
	assert_true(blocks_zero(&a, 0));
	assert_false(blocks_zero(&a, 1));
	assert_true(blocks_zero(&a, 2));
	assert_false(blocks_zero(&a, 3));
	assert_true(blocks_zero(&a, 4));
	block[5] = 'x';
	digest_sha256(block, sizeof block, want);
	assert_memory_equal(a.sha256[1], want, sizeof want);
	block[5] = 0;
	block[0] = 'y';
	digest_sha256(block, sizeof block, want);
	assert_memory_equal(a.sha256[3], want, sizeof want);
	assert_int_equal(pwrite(fd, "z", 1, 4 * BLOCKS_SIZE - 1), 1);
	assert_int_equal(pwrite(fd, "\0", 1, BLOCKS_SIZE + 5), 1);
	assert_ok(blocks_scan(fd, "disk", &b, &e));
	assert_true(blocks_zero(&b, 1)); /* data that is all zeros */
	assert_true(blocks_same(&a, &b, 0));
	assert_false(blocks_same(&a, &b, 1));
	assert_true(blocks_same(&a, &b, 2));
	assert_false(blocks_same(&a, &b, 3));
	assert_true(blocks_same(&a, &b, 9));
	close(fd);
}

static void test_a_block_is_read(void **state)
{
	struct trees *t = *state;
	static unsigned char block[BLOCKS_SIZE];
	struct err e;
	int fd = open_disk(t, BLOCKS_SIZE + 3);

	assert_int_equal(pwrite(fd, "abc", 3, BLOCKS_SIZE), 3);
	memset(block, 0xff, sizeof block);
	assert_ok(blocks_read(fd, "disk", 1, block, &e));
	assert_memory_equal(block, "abc\0", 4);
	assert_int_equal(block[BLOCKS_SIZE - 1], 0);
	close(fd);
	assert_err(blocks_read(fd, "disk", 0, block, &e), ERR_HOST, "reading 'disk'");
}

/* Zeros at the end are no part of what a disk is. */
static void test_the_digest(void **state)
{
	struct trees *t = *state;
	scope_blocks struct blocks a = {0};
	scope_blocks struct blocks b = {0};
	char x[SHA256_HEX], y[SHA256_HEX];
	struct err e;
	int fd = open_disk(t, 2 * BLOCKS_SIZE);

	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_ok(blocks_scan(fd, "disk", &a, &e));
	assert_int_equal(ftruncate(fd, 5 * BLOCKS_SIZE), 0);
	assert_ok(blocks_scan(fd, "disk", &b, &e));
	blocks_digest(&a, x);
	blocks_digest(&b, y);
	assert_string_equal(x, y);
	assert_int_equal(b.n, 5);
	assert_int_equal(pwrite(fd, "x", 1, 4 * BLOCKS_SIZE), 1);
	blocks_close(&b);
	assert_ok(blocks_scan(fd, "disk", &b, &e));
	blocks_digest(&b, y);
	assert_string_not_equal(x, y);
	close(fd);
}

static void test_what_is_no_raw_disk(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		const char *text;
	} cases[] = {
	        {"conectix", 8, "is a VHD file"},
	        {"vhdxfile", 8, "is a VHDX file"},
	        {"QFI\xfb", 4, "is a qcow2 file; expected a raw disk"},
	        {"KDMV", 4, "is a VMDK file"},
	        {"# Disk DescriptorFile", 21, "is a VMDK file"},
	        {"<<< Oracle", 10, "is a VDI file"},
	        {"\x1f\x8b", 2, "is a gzip file"},
	        {"\xfd"
	         "7zXZ",
	         5, "is a xz file"},
	        {"\x28\xb5\x2f\xfd", 4, "is a zstd file"},
	};
	struct trees *t = *state;
	struct err e;
	int fd;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fd = open_disk(t, 4096);
		assert_int_equal(pwrite(fd, cases[i].head, cases[i].len, 0), cases[i].len);
		assert_err(blocks_check(fd, "disk", &e), ERR_INPUT, cases[i].text);
		close(fd);
	}
	fd = open_disk(t, 4096);
	assert_ok(blocks_check(fd, "disk", &e));
	assert_int_equal(pwrite(fd, "conectix", 8, 4096 - 512), 8);
	assert_err(blocks_check(fd, "disk", &e), ERR_INPUT, "is a VHD file");
	close(fd);
	fd = open_disk(t, 0);
	assert_err(blocks_check(fd, "disk", &e), ERR_INPUT, "isn't a file with a disk in it");
	close(fd);
	assert_err(blocks_check(t->fd, "disk", &e), ERR_INPUT, "isn't a file with a disk in it");
	assert_err(blocks_check(-1, "disk", &e), ERR_HOST, "'disk'");
	/* The largest there may be, and one byte more. */
	fd = open_disk(t, 4096);
	if (ftruncate(fd, (off_t)BLOCKS_MAX * BLOCKS_SIZE) == 0)
		assert_ok(blocks_check(fd, "disk", &e));
	if (ftruncate(fd, (off_t)BLOCKS_MAX * BLOCKS_SIZE + 1) == 0)
		assert_err(blocks_check(fd, "disk", &e), ERR_INPUT, "larger than a volume can be");
	close(fd);
}

static struct blocks some(uint32_t n)
{
	struct blocks b = {.n = n, .sha256 = calloc(n, SHA256_LEN)};

	for (uint32_t i = 0; i < n; i++)
		memset(b.sha256[i], (int)i + 1, SHA256_LEN);
	return b;
}

static void test_what_is_kept(void **state)
{
	struct trees *t = *state;
	scope_blocks struct blocks a = some(3);
	scope_blocks struct blocks b = {0};
	struct err e;

	assert_ok(blocks_save(&a, t->fd, "kept", &e));
	assert_int_equal(trees_stat(t, "kept").st_mode, S_IFREG | 0644);
	assert_ok(blocks_load(t->fd, "kept", &b, &e));
	assert_int_equal(b.n, 3);
	assert_memory_equal(a.sha256, b.sha256, 3 * SHA256_LEN);
	assert_err(blocks_load(t->fd, "none", &b, &e), ERR_HOST, "none");
	assert_int_equal(e.no, ENOENT);
	assert_err(blocks_save(&a, t->fd, "no/such", &e), ERR_HOST, "no/such");
}

static void test_what_is_damaged(void **state)
{
	struct trees *t = *state;
	struct blocks a = some(2), b;
	struct stat st;
	struct err e;

	assert_ok(blocks_save(&a, t->fd, "kept", &e));
	st = trees_stat(t, "kept");
	for (off_t at = 0; at < st.st_size; at++) {
		int fd = openat(t->fd, "kept", O_RDWR | O_CLOEXEC);
		unsigned char was;

		assert_int_equal(pread(fd, &was, 1, at), 1);
		assert_int_equal(pwrite(fd, &(unsigned char){was ^ 1}, 1, at), 1);
		assert_err(blocks_load(t->fd, "kept", &b, &e), ERR_INTEGRITY,
		           "'kept' is damaged: publish without a parent");
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
		close(fd);
	}
	for (off_t len = 0; len < st.st_size; len++) {
		assert_ok(blocks_save(&a, t->fd, "kept", &e));
		int fd = openat(t->fd, "kept", O_RDWR | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, len), 0);
		close(fd);
		assert_err(blocks_load(t->fd, "kept", &b, &e), ERR_INTEGRITY, "damaged");
	}
	blocks_close(&a);
	assert_null(a.sha256);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, trees_setup, trees_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_a_scan),       TEST(test_a_block_is_read),
	        TEST(test_the_digest),   TEST(test_what_is_no_raw_disk),
	        TEST(test_what_is_kept), TEST(test_what_is_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
