/* SPDX-License-Identifier: Apache-2.0 */
/* Partition tables written by sfdisk and read again, as they are and with single fields spoilt. */
#include "unit.h"

#include <endian.h>
#include <errno.h>
#include <zlib.h>

#include "disk/gpt.h"
#include "trees.h"

#define DISK    (600 * MIB)
#define HEAD    GPT_SECTOR
#define COPY    (DISK - GPT_SECTOR)
#define ENTRIES ((off_t)(2 * GPT_SECTOR))
#define ENTRY   128

struct fixture {
	struct trees *t;
	struct host *here;
	struct gpt gpt;
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct disk_spec spec = {.size = DISK, .boot = BOOT_UEFI_BIOS, .seed = "s"};
	struct err e;
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	f->fd = open(f->t->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(f->fd, DISK), 0);
	assert_ok(host_open("/", HOST_LIVE, &f->here, &e));
	assert_ok(gpt_layout(&spec, "x86_64", &f->gpt, &e));
	assert_ok(gpt_write(f->here, f->t->file, &f->gpt, CLOCK_NEVER, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;

	host_close(f->here);
	close(f->fd);
	free(f);
	return trees_teardown(&trees);
}

static int read_table(struct fixture *f, struct gpt_table *ret, struct err *e)
{
	return gpt_read(f->fd, "disk", ret, e);
}

static void poke(struct fixture *f, off_t at, const void *data, size_t len)
{
	assert_int_equal(pwrite(f->fd, data, len, at), len);
}

static void poke64(struct fixture *f, off_t at, uint64_t value)
{
	value = htole64(value);
	poke(f, at, &value, sizeof value);
}

static void poke32(struct fixture *f, off_t at, uint32_t value)
{
	value = htole32(value);
	poke(f, at, &value, sizeof value);
}

/* Makes the checksums right again, so that what is behind them is looked at. */
static void mend(struct fixture *f, off_t head)
{
	unsigned char h[GPT_SECTOR], all[GPT_ENTRIES * ENTRY];
	uint64_t at;
	uint32_t n, size;

	assert_int_equal(pread(f->fd, h, sizeof h, head), sizeof h);
	memcpy(&at, h + 72, 8);
	memcpy(&n, h + 80, 4);
	memcpy(&size, h + 12, 4);
	if (n <= GPT_ENTRIES &&
	    pread(f->fd, all, n * ENTRY, (off_t)(at * GPT_SECTOR)) == (ssize_t)(n * ENTRY))
		poke32(f, head + 88, (uint32_t)crc32(0, all, n * ENTRY));
	assert_int_equal(pread(f->fd, h, sizeof h, head), sizeof h);
	memset(h + 16, 0, 4);
	poke32(f, head + 16, (uint32_t)crc32(0, h, size <= sizeof h ? size : sizeof h));
}

static void test_what_was_written_is_read(void **state)
{
	struct fixture *f = *state;
	struct gpt_table t;
	struct err e;
	static const char *const kinds[] = {"bios", "esp", "root"};

	assert_ok(read_table(f, &t, &e));
	assert_int_equal(t.n, GPT_ROLES);
	assert_string_equal(t.uuid, f->gpt.uuid);
	assert_int_equal(t.copy, COPY);
	for (size_t i = 0; i < t.n; i++) {
		assert_int_equal(t.items[i].number, i + 1);
		assert_int_equal(t.items[i].start, f->gpt.parts[i].start);
		assert_int_equal(t.items[i].size, f->gpt.parts[i].size);
		assert_string_equal(t.items[i].uuid, f->gpt.parts[i].uuid);
		assert_string_equal(t.items[i].name, kinds[i]);
		assert_string_equal(gpt_kind(&t.items[i]), kinds[i]);
	}
	assert_string_equal(t.items[2].type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
	assert_string_equal(gpt_arch(&t), "x86_64");
	assert_ok(gpt_check_copy(f->fd, "disk", &t, &e));
}

/* UTF-16; what isn't printable ASCII is shown as '?'. */
static void test_names_of_partitions(void **state)
{
	static const unsigned char name[] = {'A', 0,   0, 1,   'b', 2, 0x1f, 0,   0x7f,
	                                     0,   '~', 0, ' ', 0,   0, 0,    'x', 0};
	struct fixture *f = *state;
	unsigned char full[72];
	struct gpt_table t;
	struct err e;

	poke(f, 2 * GPT_SECTOR + 56, name, sizeof name);
	mend(f, GPT_SECTOR);
	assert_ok(read_table(f, &t, &e));
	assert_string_equal(t.items[0].name, "A????~ ");
	for (size_t i = 0; i < sizeof full; i++)
		full[i] = i % 2 ? 0 : 'n';
	poke(f, 2 * GPT_SECTOR + 56, full, sizeof full);
	mend(f, GPT_SECTOR);
	assert_ok(read_table(f, &t, &e));
	assert_string_equal(t.items[0].name, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
}

/* Another architecture has another type of root, and one without BIOS no partition for it. */
static void test_arm64(void **state)
{
	struct fixture *f = *state;
	const struct disk_spec spec = {.size = DISK, .boot = BOOT_UEFI, .seed = "s"};
	struct gpt_table t;
	struct gpt g;
	struct err e;

	assert_ok(gpt_layout(&spec, "arm64", &g, &e));
	assert_ok(gpt_write(f->here, f->t->file, &g, CLOCK_NEVER, &e));
	assert_ok(read_table(f, &t, &e));
	assert_int_equal(t.n, 2);
	assert_string_equal(gpt_kind(&t.items[0]), "esp");
	assert_string_equal(gpt_kind(&t.items[1]), "root");
	assert_string_equal(t.items[1].type, "b921b045-1df0-41c3-af44-4c6f280d3fae");
	assert_string_equal(gpt_arch(&t), "arm64");
	memcpy(t.items[1].type, "0fc63daf", 8);
	assert_null(gpt_arch(&t));
	assert_null(gpt_kind(&t.items[1]));
	memcpy(t.items[1].type, "0fc63daf-8483-4772-8e79-3d69d8477de4", IDENT_UUID);
	assert_string_equal(gpt_kind(&t.items[1]), "linux");
}

static void test_the_smallest_disk(void **state)
{
	struct disk_spec spec = {.boot = BOOT_UEFI_BIOS, .seed = "s"};
	struct gpt g;
	struct err e;

	(void)state;
	spec.size = 2 * MIB + 64 * MIB + RECIPE_DISK_MIN / 8;
	assert_ok(gpt_layout(&spec, "x86_64", &g, &e));
	assert_true(g.parts[GPT_ROOT].size > 0);
	assert_int_equal(g.parts[GPT_BIOS].start, MIB);
	assert_int_equal(g.parts[GPT_BIOS].size, MIB);
	assert_int_equal(g.parts[GPT_ESP].start, 2 * MIB);
	assert_int_equal(g.parts[GPT_ESP].size, 64 * MIB);
	assert_int_equal(g.parts[GPT_ROOT].start, 66 * MIB);
	assert_int_equal(g.parts[GPT_ROOT].start + g.parts[GPT_ROOT].size, spec.size - MIB);
	spec.size -= 1;
	assert_err(gpt_layout(&spec, "x86_64", &g, &e), ERR_INPUT, "too small");
}

static void test_no_table(void **state)
{
	struct fixture *f = *state;
	struct gpt_table t;
	struct err e;

	poke(f, HEAD, "EFI PARX", 8);
	assert_err(read_table(f, &t, &e), ERR_INPUT, "'disk' has no GPT");
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(ftruncate(f->fd, GPT_SECTOR + 4), 0);
	assert_err(read_table(f, &t, &e), ERR_INPUT, "'disk' has no GPT");
}

/* A field of the header or of an entry spoilt, its checksums mended. */
static void test_what_is_damaged(void **state)
{
	static const struct {
		off_t at;
		uint64_t value;
		unsigned bits;
		bool mended;
		enum err_kind kind;
		const char *text;
	} cases[] = {
	        {HEAD + 41, 0x99, 8, false, ERR_INTEGRITY, "its header has a wrong checksum"},
	        {ENTRIES + 40, 0x99, 8, false, ERR_INTEGRITY, "its entries have a wrong checksum"},
	        {HEAD + 12, 91, 32, true, ERR_INTEGRITY, "impossible size"},
	        {HEAD + 12, 513, 32, true, ERR_INTEGRITY, "impossible size"},
	        {HEAD + 24, 2, 64, true, ERR_INTEGRITY, "its header is of another place"},
	        {HEAD + 84, 256, 32, true, ERR_INPUT, "at most 128 entries of 128 bytes"},
	        {HEAD + 80, 129, 32, true, ERR_INPUT, "at most 128 entries of 128 bytes"},
	        {HEAD + 72, DISK / GPT_SECTOR + 1, 64, true, ERR_INTEGRITY, "of a larger disk"},
	        {HEAD + 72, DISK / GPT_SECTOR - 8, 64, true, ERR_INTEGRITY,
	         "behind the disk's end"},
	        {HEAD + 48, DISK / GPT_SECTOR, 64, true, ERR_INTEGRITY, "of a larger disk"},
	        {HEAD + 32, DISK / GPT_SECTOR + 1, 64, true, ERR_INTEGRITY, "of a larger disk"},
	        {HEAD + 40, 2049, 64, true, ERR_INTEGRITY, "outside of where partitions may be"},
	        {ENTRIES + 40, 2047, 64, true, ERR_INTEGRITY, "outside of where partitions may be"},
	        {ENTRIES + 2 * ENTRY + 40, DISK / GPT_SECTOR - 33, 64, true, ERR_INTEGRITY,
	         "outside of where partitions may be"},
	        {ENTRIES + 40, 4096, 64, true, ERR_INTEGRITY, "partitions lie over each other"},
	        {ENTRIES + ENTRY + 32, 4095, 64, true, ERR_INTEGRITY,
	         "partitions lie over each other"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gpt_table t = {.n = 77};
		struct err e;
		void *own;

		setup(&own);
		if (cases[i].bits == 8)
			poke(own, cases[i].at, &(unsigned char){(unsigned char)cases[i].value}, 1);
		else if (cases[i].bits == 32)
			poke32(own, cases[i].at, (uint32_t)cases[i].value);
		else
			poke64(own, cases[i].at, cases[i].value);
		if (cases[i].mended)
			mend(own, HEAD);
		assert_err(read_table(own, &t, &e), cases[i].kind, cases[i].text);
		assert_int_equal(t.n, 77);
		assert_int_equal(teardown(&own), 0);
	}
	(void)state;
}

/* What lies exactly at the limits is sound. */
static void test_the_limits(void **state)
{
	struct fixture *f = *state;
	struct gpt_table t;
	struct err e;

	poke64(f, ENTRIES + 2 * ENTRY + 40, DISK / GPT_SECTOR - 34);
	poke64(f, ENTRIES + 40, 4095);
	mend(f, HEAD);
	assert_ok(read_table(f, &t, &e));
	assert_int_equal(t.items[2].start + t.items[2].size, DISK - 33 * GPT_SECTOR);
	assert_int_equal(t.items[0].start + t.items[0].size, t.items[1].start);
	/* One sector alone, and a name with what is no ASCII in it, and one that fills its field. */
	poke64(f, ENTRIES + 40, 2048);
	poke(f, ENTRIES + 56, "\xe9\0a\1\x1f\0~\0 \0\0\0x\0", 14);
	for (off_t i = 0; i < 36; i++)
		poke(f, ENTRIES + ENTRY + 56 + 2 * i, "n\0", 2);
	mend(f, HEAD);
	assert_ok(read_table(f, &t, &e));
	assert_int_equal(t.items[0].size, GPT_SECTOR);
	assert_string_equal(t.items[0].name, "???~ ");
	assert_int_equal(strlen(t.items[1].name), GPT_NAME - 1);
}

static void test_the_copy(void **state)
{
	struct fixture *f = *state;
	struct gpt_table t;
	struct err e;

	assert_ok(read_table(f, &t, &e));
	poke(f, COPY + 60, "\x99", 1);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "the copy: reading the partition table of 'disk': its header has a wrong");
	mend(f, COPY);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "its copy says something else");
	poke(f, COPY, "x", 1);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "no header where one should be");
	assert_int_equal(ftruncate(f->fd, DISK + MIB), 0);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "its copy is not at the disk's end");
}

/* One entry of the copy alone differs, or is missing. */
static void test_an_entry_of_the_copy(void **state)
{
	struct fixture *f = *state;
	const off_t entries = COPY - 32 * GPT_SECTOR;
	struct gpt_table t;
	struct err e;

	assert_ok(read_table(f, &t, &e));
	poke(f, entries + 2 * ENTRY + 56, "R", 1);
	mend(f, COPY);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "its copy says something else");
	poke(f, entries + 2 * ENTRY, (char[ENTRY]){0}, ENTRY);
	mend(f, COPY);
	assert_err(gpt_check_copy(f->fd, "disk", &t, &e), ERR_INTEGRITY,
	           "its copy says something else");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_what_was_written_is_read),
	        TEST(test_names_of_partitions),
	        TEST(test_arm64),
	        cmocka_unit_test(test_the_smallest_disk),
	        TEST(test_no_table),
	        cmocka_unit_test(test_what_is_damaged),
	        TEST(test_the_limits),
	        TEST(test_the_copy),
	        TEST(test_an_entry_of_the_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
