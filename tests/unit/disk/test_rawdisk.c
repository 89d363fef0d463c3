/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the root of raw disks: by type, by what there is, without a table, and refusals. */
#include "unit.h"

#include <errno.h>

#include "disk/ext4.h"
#include "disk/rawdisk.h"
#include "trees.h"

#define DISK  (100 * MIB)
#define UUID  "11111111-2222-3333-4444-555555555555"
#define LINUX "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
#define ROOT  "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
#define ARM   "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"
#define ESP   "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"

static void make_disk(struct trees *t)
{
	(void)unlink(t->file);
	int fd = open(t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, DISK), 0);
	close(fd);
}

/* Partitions of these types, of 20 MiB each, from 1 MiB on. */
static void part(struct trees *t, const char *const *types)
{
	char command[256];

	make_disk(t);
	snprintf(command, sizeof command, "sfdisk --quiet --no-reread --no-tell-kernel '%s'",
	         t->file);
	FILE *f = popen(command, "we");
	fprintf(f, "label: gpt\nunit: sectors\n");
	for (size_t i = 0; types[i]; i++)
		fprintf(f, "start=%zu, size=40960, type=%s\n", 2048 + i * 40960, types[i]);
	assert_int_equal(pclose(f), 0);
}

static void format(struct trees *t, uint64_t offset, uint64_t size)
{
	const struct ext4_spec s = {.file = t->file,
	                            .offset = offset,
	                            .size = size,
	                            .uuid = UUID,
	                            .hash_seed = UUID,
	                            .label = "root",
	                            .epoch = 5};
	struct host *here;
	struct err e;

	assert_ok(host_open("/", HOST_LIVE, &here, &e));
	assert_ok(ext4_make(here, &s, CLOCK_NEVER, &e));
	host_close(here);
}

static void poke(struct trees *t, uint64_t at, const void *data, size_t len)
{
	int fd = open(t->file, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, data, len, (off_t)at), len);
	close(fd);
}

static void test_the_root_is_found(void **state)
{
	static const struct {
		const char *types[5];
		unsigned number;
	} cases[] = {
	        {{ESP, ROOT, LINUX}, 2}, {{ROOT, ROOT, ESP}, 2},    {{LINUX, ESP, LINUX, ESP}, 3},
	        {{ARM, LINUX}, 1},       {{LINUX, LINUX, ROOT}, 3},
	};
	struct trees *t = *state;
	struct err e;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		scope_rawdisk struct rawdisk d = RAWDISK_INIT;
		uint64_t start = MIB + (cases[i].number - 1) * 20 * MIB;

		part(t, cases[i].types);
		format(t, start, 20 * MIB);
		assert_ok(rawdisk_open(t->file, &d, &e));
		assert_true(d.has_table);
		assert_int_equal(d.root->number, cases[i].number);
		assert_int_equal(d.offset, start);
		assert_int_equal(d.size, DISK);
		assert_string_equal(d.uuid, UUID);
		assert_string_equal(d.path, t->file);
		assert_ok(rawdisk_check(&d, CLOCK_NEVER, &e));
	}
}

static void test_a_file_system_alone(void **state)
{
	struct trees *t = *state;
	scope_rawdisk struct rawdisk d = RAWDISK_INIT;
	struct err e;

	make_disk(t);
	format(t, 0, DISK);
	assert_ok(rawdisk_open(t->file, &d, &e));
	assert_false(d.has_table);
	assert_null(d.root);
	assert_int_equal(d.offset, 0);
	assert_string_equal(d.uuid, UUID);
}

static void test_what_is_refused(void **state)
{
	struct trees *t = *state;
	struct rawdisk d;
	struct err e;

	assert_err(rawdisk_open("/nowhere/x", &d, &e), ERR_HOST, "opening '/nowhere/x'");
	assert_int_equal(d.fd, -1);
	make_disk(t);
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "neither a GPT nor a file system");
	assert_int_equal(d.fd, -1);
	poke(t, 510, "\x55\xaa", 2);
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "an MBR's partition table");
	poke(t, 510, "\x55\xab", 2);
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "neither a GPT");
	part(t, (const char *const[]){ESP, ESP, NULL});
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "it has no partition of Linux");
	part(t, (const char *const[]){ROOT, NULL});
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT,
	           "no file system that is known here, expected ext4");
	format(t, MIB, 20 * MIB);
	poke(t, MIB + 1024 + 0x60, "\x46", 1); /* INCOMPAT with a journal to be replayed */
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "was not unmounted");
	poke(t, 512 + 20, "\x99", 1);
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INTEGRITY, "wrong checksum");
	poke(t, 0, "QFI\xfb", 4);
	assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "is a qcow2 file");
}

static void test_foreign_file_systems(void **state)
{
	static const struct {
		uint64_t at;
		const char *magic, *text;
	} cases[] = {
	        {0, "XFSB", "its root is xfs, and only ext4 can be read here"},
	        {65600, "_BHRfS_M", "its root is btrfs"},
	        {0, "LUKS\xba\xbe", "its root is encrypted (LUKS)"},
	        {512, "LABELONE", "its root is a part of LVM"},
	        {1024, "\x10\x20\xf5\xf2", "its root is f2fs"},
	        {0, "hsqs", "its root is squashfs"},
	};
	struct trees *t = *state;
	struct rawdisk d;
	struct err e;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].magic);

		part(t, (const char *const[]){ROOT, NULL});
		poke(t, MIB + cases[i].at, cases[i].magic, len);
		assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, cases[i].text);
		make_disk(t); /* without a table */
		poke(t, cases[i].at, cases[i].magic, len);
		assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, cases[i].text);
		poke(t, cases[i].at + len - 1, "?", 1);
		assert_err(rawdisk_open(t->file, &d, &e), ERR_INPUT, "neither a GPT");
	}
}

static void test_a_damaged_one(void **state)
{
	struct trees *t = *state;
	scope_rawdisk struct rawdisk d = RAWDISK_INIT;
	struct err e;

	part(t, (const char *const[]){ROOT, NULL});
	format(t, MIB, 20 * MIB);
	assert_ok(rawdisk_open(t->file, &d, &e));
	assert_int_equal(fchmod(t->fd, 0700), 0);
	assert_ok(rawdisk_unpack(&d, t->fd, 64 * MIB, true, CLOCK_NEVER, &e));
	assert_int_equal(trees_stat(t, ".").st_mode & 07777, 0755);
	poke(t, MIB + 1024 + 0x0c, "\x01\x02", 2); /* blocks that are free */
	assert_err(rawdisk_check(&d, CLOCK_NEVER, &e), ERR_INTEGRITY, "e2fsck finds it damaged: ");
	assert_null(strstr(e.text, "Pass"));
	assert_true(strlen(strstr(e.text, "damaged: ")) > strlen("damaged: "));
	assert_err(rawdisk_unpack(&d, t->fd, 64 * MIB, true, CLOCK_NEVER, &e), ERR_INTEGRITY,
	           "damaged");
	snprintf(d.path, sizeof d.path, "/tmp/a?b");
	assert_err(rawdisk_check(&d, CLOCK_NEVER, &e), ERR_INPUT, "its name has a '?'");
	rawdisk_close(&d);
	assert_int_equal(d.fd, -1);
	rawdisk_close(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, trees_setup, trees_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_the_root_is_found), TEST(test_a_file_system_alone),
	        TEST(test_what_is_refused),   TEST(test_foreign_file_systems),
	        TEST(test_a_damaged_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
