/* SPDX-License-Identifier: Apache-2.0 */
/* Disks found by what EC2 calls them, judged by what is on them, and formatted where nothing is. Files stand
 * for disks; the guests of tests/system have real ones. */
#include "machine.h"

#include "base/clock.h"
#include "host/host.h"
#include "machine/disk.h"

#define DISK_MIB 64

static struct host *host;

static void open_host(const char *root)
{
	assert_ok(host_open(root, HOST_LIVE, &host, &e));
}

/* ---- names ---- */

static void names_of_disks(void **state)
{
	static const struct {
		const char *name;
		bool is;
	} rows[] = {
	        {"vol-0123456789abcdef0", true},
	        {"vol-01234567", true},
	        {"/dev/sdf", true},
	        {"/dev/xvdba", true},
	        {"instance-store", true},
	        {"vol-0123", false},
	        {"vol-0123456789abcdef01", false},
	        {"vol-01234567x", false},
	        {"vol0123456789abcdef0", false},
	        {"/dev/", false},
	        {"/dev/md/x", false},
	        {"/dev/..", false},
	        {"sdf", false},
	        {"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(host_disk_is_name(rows[i].name), rows[i].is);
}

static void names_of_attachments(void **state)
{
	static const struct {
		const char *bytes, *as;
	} rows[] = {{"sdf", "/dev/sdf"},
	            {"/dev/sdg", "/dev/sdg"},
	            {"sdb ", "/dev/sdb"},
	            {"", NULL},
	            {"/dev/", NULL}};
	char name[HOST_DISK_NAME];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char page[HOST_DISK_IDENTIFY] = {0};

		memset(page + 3072, ' ', 32);
		memcpy(page + 3072, rows[i].bytes, strlen(rows[i].bytes));
		assert_int_equal(host_disk_attached_as(page, name), rows[i].as != NULL);
		if (rows[i].as)
			assert_string_equal(name, rows[i].as);
	}
	/* All 32 bytes, no blank behind. */
	unsigned char page[HOST_DISK_IDENTIFY];
	memset(page, 'a', sizeof page);
	assert_true(host_disk_attached_as(page, name));
	assert_int_equal(strlen(name), strlen("/dev/") + 32);
}

static void add_disk(const char *name, const char *serial, const char *model)
{
	put(arena_printf(arena, "sys/class/block/%s/device/serial", name), serial);
	put(arena_printf(arena, "sys/class/block/%s/device/model", name), model);
}

static const char *found(const char *which)
{
	struct host_disks d;
	struct strbuf b = STRBUF(arena, 4096);

	assert_ok(host_disks_find(host, which, arena, &d, &e));
	strbuf_str(&b, "");
	for (size_t i = 0; i < d.n; i++)
		strbuf_printf(&b, "%s=%s ", d.items[i].path, d.items[i].serial);
	return b.data;
}

static void disks_are_found_by_serial_and_model(void **state)
{
	static const char ebs[] = "Amazon Elastic Block Store              \n";
	static const char store[] = "Amazon EC2 NVMe Instance Storage        \n";

	(void)state;
	open_host(top);
	assert_string_equal(found("instance-store"), "");
	add_disk("nvme0n1", "vol0aaaaaaaaaaaaaaaa\n", ebs);
	add_disk("nvme0n1p1", "vol0bbbbbbbbbbbbbbbb\n", ebs);
	add_disk("nvme1n1", "vol0bbbbbbbbbbbbbbbb\n", ebs);
	add_disk("nvme2n1", "AWS2AAAAAAAAAAAAAAAA\n", store);
	add_disk("nvme10n1", "AWS1AAAAAAAAAAAAAAAA \n", store);
	add_disk("nvme3n1", "vol-0cccccccccccccccc\n", ebs);
	add_disk("sda", "vol0bbbbbbbbbbbbbbbb\n", ebs);
	assert_string_equal(found("vol-0bbbbbbbbbbbbbbbb"), "/dev/nvme1n1=vol0bbbbbbbbbbbbbbbb ");
	assert_string_equal(found("vol-0cccccccccccccccc"), "/dev/nvme3n1=vol-0cccccccccccccccc ");
	assert_string_equal(found("vol-0bbbbbbbbbbbbbbb"), "");
	assert_string_equal(found("/dev/sdf"), "");
	assert_string_equal(
	        found("instance-store"),
	        "/dev/nvme10n1=AWS1AAAAAAAAAAAAAAAA /dev/nvme2n1=AWS2AAAAAAAAAAAAAAAA ");
	host_close(host);
}

/* ---- what is on them ---- */

static const char *disk_of(off_t bytes)
{
	const char *path = at("disk");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
	return path;
}

static void set_byte(const char *path, off_t where, char byte)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, where), 1);
	close(fd);
}

static struct host_disk_look look(const char *path, const char *mark)
{
	struct host_disk_look l;

	assert_ok(host_disk_look(host, path, mark, arena, &l, &e));
	return l;
}

static void run(const char *const *argv)
{
	const struct host_exec x = {.argv = argv, .deadline = clock_in_ms(60000)};
	struct host_result said;

	assert_ok(host_run_ok(host, &x, arena, &said, &e));
}

static void only_nothing_is_blank(void **state)
{
	const off_t size = DISK_MIB << 20;

	(void)state;
	open_host("/");
	assert_true(look(disk_of(size), "v").blank);
	for (off_t where = 0; where < size; where = where ? where * 2 : 512) {
		const char *path = disk_of(size);
		bool middle = where >= 1 << 20 && where < size - (1 << 20);

		set_byte(path, where, 1);
		assert_int_equal(look(path, "v").blank, middle);
		if (!middle)
			assert_string_equal(look(path, "v").found, "data without a signature");
	}
	const char *path = disk_of(size);
	set_byte(path, size - 1, 1);
	assert_false(look(path, "v").blank);
	assert_string_equal(look(disk_of(1 << 20), "v").found, "too little room for a file system");
	host_close(host);
}

static void what_is_there_is_named(void **state)
{
	const char *path = disk_of(DISK_MIB << 20);
	const char *const swap[] = {"mkswap", path, NULL};

	(void)state;
	open_host("/");
	run(swap);
	struct host_disk_look l = look(path, "v");
	assert_false(l.blank);
	assert_null(l.fstype);
	assert_string_equal(l.found, "swap");
	assert_err(host_disk_format(host, path, "v", clock_in_ms(60000), arena, &e), ERR_HOST,
	           "it has swap");
	assert_int_equal(e.reason, REASON_DISK_NOT_BLANK);
	/* A partition table: its first sector ends with 55 aa and has one entry. */
	path = disk_of(DISK_MIB << 20);
	set_byte(path, 510, 0x55);
	set_byte(path, 511, (char)0xaa);
	set_byte(path, 450, (char)0x83);
	set_byte(path, 454, 1);
	set_byte(path, 459, 1);
	l = look(path, "v");
	assert_string_equal(l.found, "a partition table (dos)");
	assert_null(l.fstype);
	host_close(host);
}

static void a_blank_disk_is_formatted_once(void **state)
{
	const char *path = disk_of(DISK_MIB << 20);

	(void)state;
	open_host("/");
	assert_ok(host_disk_format(host, path, "v", clock_in_ms(60000), arena, &e));
	struct host_disk_look l = look(path, "v");
	assert_false(l.blank);
	assert_string_equal(l.fstype, "ext4");
	assert_false(l.larger);
	assert_err(host_disk_format(host, path, "v", clock_in_ms(60000), arena, &e), ERR_HOST,
	           "it has ext4");
	assert_int_equal(truncate(path, 2 * (DISK_MIB << 20)), 0);
	assert_true(look(path, "v").larger);
	host_close(host);
}

/* mke2fs has cleared what it clears and written some, and was killed. */
static void an_unfinished_format_is_our_own(void **state)
{
	const char *path = disk_of(DISK_MIB << 20);

	(void)state;
	unit_need_root();
	open_host("/");
	put_program("mkfs.ext4",
	            "for disk; do :; done; printf x | dd of=$disk bs=4096 seek=1 conv=notrunc "
	            "status=none; kill -9 $$\n");
	assert_err(host_disk_format(host, path, "vol1", clock_in_ms(60000), arena, &e), ERR_HOST,
	           "SIGKILL");
	assert_true(look(path, "vol1").blank);
	assert_false(look(path, "vol2").blank);
	assert_int_equal(unlink(at("bin/mkfs.ext4")), 0);
	assert_ok(host_disk_format(host, path, "vol1", clock_in_ms(60000), arena, &e));
	assert_string_equal(look(path, "vol1").fstype, "ext4");
	/* The mark is gone: one who wipes the signature later gets no other file system over the data. */
	const char *const wipe[] = {"wipefs", "--all", "--quiet", path, NULL};
	run(wipe);
	assert_false(look(path, "vol1").blank);
	host_close(host);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, machine_set_up, machine_tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(names_of_disks),
	        TEST(names_of_attachments),
	        TEST(disks_are_found_by_serial_and_model),
	        TEST(only_nothing_is_blank),
	        TEST(what_is_there_is_named),
	        TEST(a_blank_disk_is_formatted_once),
	        TEST(an_unfinished_format_is_our_own),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
