/* SPDX-License-Identifier: Apache-2.0 */
/* File systems unpacked again: each kind of file, owners, and what is damaged or none; e2fsck has the last word on them. */
#include "ext4_test.h"

static void fill_kinds(struct fixture *f)
{
	struct trees *t = f->t;
	char target[201], name[64];

	assert_int_equal(mkdirat(t->fd, "d", 0750), 0);
	assert_int_equal(mkdirat(t->fd, "d/many", 0755), 0);
	assert_int_equal(fchmodat(t->fd, "d/many", 01777, 0), 0);
	assert_int_equal(mkdirat(t->fd, "lost+found", 0700), 0);
	trees_put(t, "lost+found/x", "not taken", 0600);
	trees_put(t, "d/file", "content", 04755);
	trees_put(t, "empty", "", 0604);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d/many/a-name-that-takes-room-%03d", i);
		trees_put(t, name, name, 0644);
	}
	assert_int_equal(linkat(t->fd, "d/file", t->fd, "again", 0), 0);
	assert_int_equal(linkat(t->fd, "d/file", t->fd, "d/third", 0), 0);
	assert_int_equal(symlinkat("short", t->fd, "fast"), 0);
	memset(target, 't', sizeof target - 1);
	target[200] = '\0';
	assert_int_equal(symlinkat(target, t->fd, "slow"), 0);
	target[60] = '\0'; /* one more than lies in an inode */
	assert_int_equal(symlinkat(target, t->fd, "between"), 0);
	target[59] = '\0';
	assert_int_equal(symlinkat(target, t->fd, "just"), 0);
	assert_int_equal(mkfifoat(t->fd, "pipe", 0600), 0);
	assert_int_equal(mknodat(t->fd, "sock", S_IFSOCK | 0600, 0), 0);
	char path[128];
	snprintf(path, sizeof path, "%s/d/file", t->path);
	assert_int_equal(setxattr(path, "user.b", "two", 3, 0), 0);
	assert_int_equal(setxattr(path, "user.a", "one", 3, 0), 0);
	assert_int_equal(setxattr(path, "user.overlay.origin", "x", 1, 0), 0);
	trees_date(t, "d/file", 123456789, 0);
	trees_date(t, "d", 987654321, 0);
	trees_date(t, "fast", 5, 0);
	trees_date(t, "empty", -5, 0);
	trees_date(t, "pipe", 0, 0);
}

static void assert_target(struct trees *t, const char *name, size_t len, char c)
{
	char target[512];

	assert_int_equal(readlinkat(t->fd, name, target, sizeof target), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(target[i], c);
}

static void test_all_kinds_come_out_again(void **state)
{
	struct fixture *f = *state;
	struct trees *o = f->out;
	char value[8], target[8] = {0}, name[64];

	fill_kinds(f);
	lay(f);
	unpack(f);
	struct stat st = trees_stat(o, "d/file");
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(st.st_mtim.tv_sec, 123456789);
	assert_int_equal(st.st_ino, trees_stat(o, "again").st_ino);
	assert_int_equal(st.st_ino, trees_stat(o, "d/third").st_ino);
	assert_string_equal(trees_text(o, "d/file"), "content");
	assert_int_equal(trees_stat(o, "empty").st_size, 0);
	assert_int_equal(trees_stat(o, "empty").st_mode, S_IFREG | 0604);
	assert_int_equal(trees_stat(o, "empty").st_mtim.tv_sec, 0);
	assert_int_equal(trees_stat(o, "d").st_mode, S_IFDIR | 0750);
	assert_int_equal(trees_stat(o, "d").st_mtim.tv_sec, 987654321);
	assert_int_equal(trees_stat(o, "d/many").st_mode, S_IFDIR | 01777);
	assert_int_equal(trees_stat(o, "d/many").st_mtim.tv_sec, EPOCH);
	assert_int_equal(trees_stat(o, ".").st_mtim.tv_sec, EPOCH);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d/many/a-name-that-takes-room-%03d", i);
		assert_string_equal(trees_text(o, name), name);
	}
	assert_int_equal(readlinkat(o->fd, "fast", target, sizeof target), 5);
	assert_string_equal(target, "short");
	assert_int_equal(trees_stat(o, "fast").st_mtim.tv_sec, 5);
	assert_target(o, "slow", 200, 't');
	assert_target(o, "between", 60, 't');
	assert_target(o, "just", 59, 't');
	assert_int_equal(trees_stat(o, "pipe").st_mode, S_IFIFO | 0600);
	assert_int_equal(trees_stat(o, "pipe").st_mtim.tv_sec, 0);
	assert_int_equal(trees_stat(o, "sock").st_mode, S_IFSOCK | 0600);
	assert_int_equal(trees_xattr(o, "d/file", "user.a", value, sizeof value), 3);
	assert_memory_equal(value, "one", 3);
	assert_int_equal(trees_xattr(o, "d/file", "user.b", value, sizeof value), 3);
	assert_int_equal(trees_xattr(o, "d/file", "user.overlay.origin", value, 8), -1);
	assert_false(trees_has(o, "lost+found"));
}

static void test_content_with_holes(void **state)
{
	struct fixture *f = *state;
	struct trees *t = f->t, *o = f->out;
	struct err e;
	int fd;

	/* Pieces of zeros are holes: at the beginning, in the middle, and at the end. */
	fd = openat(t->fd, "holes", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "a", 1, MIB + 4096), 1);
	assert_int_equal(pwrite(fd, "bcd", 3, 3 * MIB - 1), 3);
	assert_int_equal(ftruncate(fd, 6 * MIB - 3), 0);
	close(fd);
	char *text = large(2 * MIB + 4097, 'l');
	trees_put(t, "large", text, 0600);
	lay(f);
	unpack(f);
	assert_string_equal(trees_text(o, "large"), text);
	free(text);
	struct stat st = trees_stat(o, "holes");
	assert_int_equal(st.st_size, 6 * MIB - 3);
	const char *got = trees_text(o, "holes");
	assert_int_equal(got[MIB + 4096], 'a');
	assert_memory_equal(got + 3 * MIB - 1, "bcd", 3);
	uint64_t others = 0;
	for (uint64_t i = 0; i < 6 * MIB - 3; i++)
		others += got[i] != 0;
	assert_int_equal(others, 4);
	struct ext4_need before, after;
	assert_ok(ext4_space(&f->spec, &before, &e));
	next_layer(f);
	fd = openat(t->fd, "zeros", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 5 * MIB), 0);
	close(fd);
	lay(f);
	assert_ok(ext4_space(&f->spec, &after, &e));
	assert_int_equal(before.bytes, after.bytes);
	assert_int_equal(before.inodes, after.inodes + 1);
}

/* What was removed is as if it had never been: space, inodes and every byte. */
static void test_the_ceiling_of_unpacking(void **state)
{
	struct fixture *f = *state;
	struct err e;
	char *text = large(MIB + 5, 'x');

	trees_put(f->t, "a", text, 0600);
	trees_put(f->t, "b", "12345", 0600);
	free(text);
	lay(f);
	assert_err(ext4_unpack(f->t->file, OFFSET, f->out->fd, MIB + 9, true, &e), ERR_INPUT,
	           "'/b': more than 1 MiB");
	next_layer(f);
	struct trees *o = f->out;
	assert_int_equal(unlinkat(o->fd, "a", 0), 0);
	assert_int_equal(unlinkat(o->fd, "b", 0), 0);
	assert_ok(ext4_unpack(f->t->file, OFFSET, o->fd, MIB + 10, true, &e));
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	struct err e;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdirat(f->t->fd, "dev", 0755), 0);
	assert_int_equal(mknodat(f->t->fd, "dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(mknodat(f->t->fd, "dev/wide", S_IFCHR | 0600, makedev(259, 70000)), 0);
	/* Each of the two numbers alone may be too large for the old form. */
	assert_int_equal(mknodat(f->t->fd, "dev/minor", S_IFCHR | 0600, makedev(8, 256)), 0);
	assert_int_equal(mknodat(f->t->fd, "dev/major", S_IFCHR | 0600, makedev(256, 8)), 0);
	assert_int_equal(mknodat(f->t->fd, "dev/old", S_IFCHR | 0600, makedev(255, 255)), 0);
	lay(f);
	unpack(f);
	assert_int_equal(trees_stat(f->out, "dev/null").st_rdev, makedev(1, 3));
	assert_int_equal(trees_stat(f->out, "dev/wide").st_rdev, makedev(259, 70000));
	assert_int_equal(trees_stat(f->out, "dev/minor").st_rdev, makedev(8, 256));
	assert_int_equal(trees_stat(f->out, "dev/major").st_rdev, makedev(256, 8));
	assert_int_equal(trees_stat(f->out, "dev/old").st_rdev, makedev(255, 255));
	assert_int_equal(mknodat(f->t->fd, "mem", S_IFCHR | 0600, makedev(1, 1)), 0);
	lay(f);
	next_layer(f);
	assert_err(ext4_unpack(f->t->file, OFFSET, f->out->fd, MIB, true, &e), ERR_HOST, "");
	char command[128];
	snprintf(command, sizeof command, "find %s -mindepth 1 -delete", f->out->path);
	assert_int_equal(system(command), 0);
	assert_err(ext4_unpack(f->t->file, OFFSET, f->out->fd, MIB, true, &e), ERR_INPUT,
	           "'/mem': it is a device, which an image gets when it boots");
	assert_int_equal(system(command), 0);
	assert_ok(ext4_unpack(f->t->file, OFFSET, f->out->fd, MIB, false, &e));
	assert_int_equal(trees_stat(f->out, "mem").st_rdev, makedev(1, 1));
}

static void test_owners(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	trees_put(f->t, "x", "x", 0600);
	assert_int_equal(fchownat(f->t->fd, "x", 70000, 80000, 0), 0);
	assert_int_equal(fchmodat(f->t->fd, "x", 06711, 0), 0);
	assert_int_equal(symlinkat("x", f->t->fd, "l"), 0);
	assert_int_equal(fchownat(f->t->fd, "l", 90000, 5, AT_SYMLINK_NOFOLLOW), 0);
	lay(f);
	unpack(f);
	struct stat st = trees_stat(f->out, "x");
	assert_int_equal(st.st_uid, 70000);
	assert_int_equal(st.st_gid, 80000);
	assert_int_equal(st.st_mode, S_IFREG | 06711);
	assert_int_equal(trees_stat(f->out, "l").st_uid, 90000);
	assert_int_equal(trees_stat(f->out, "l").st_gid, 5);
}

/* An entry of a directory that names an inode with nothing in it. */
static void test_a_damaged_inode(void **state)
{
	struct fixture *f = *state;
	char command[256];
	struct err e;

	assert_int_equal(mkdirat(f->t->fd, "d", 0755), 0);
	trees_put(f->t, "d/gone", "x", 0600);
	trees_put(f->t, "stays", "x", 0600);
	lay(f);
	snprintf(command, sizeof command,
	         "debugfs -w -R 'clri /d/gone' '%s?offset=%llu' 2>/dev/null", f->t->file,
	         (unsigned long long)OFFSET);
	assert_int_equal(system(command), 0);
	assert_err(ext4_unpack(f->t->file, OFFSET, f->out->fd, MIB, true, &e), ERR_INTEGRITY,
	           "unpacking '/d/gone': its type is unknown");
}

static void test_what_is_no_file_system(void **state)
{
	struct fixture *f = *state;
	struct ext4_need need;
	struct err e;

	assert_err(ext4_unpack(f->t->file, 0, f->out->fd, MIB, true, &e), ERR_HOST,
	           "opening the file system in");
	f->spec.offset = 4096;
	assert_err(ext4_space(&f->spec, &need, &e), ERR_HOST, "opening the file system in");
	assert_err(ext4_lay(&f->spec, f->t->fd, &e), ERR_HOST, "opening the file system in");
	f->spec.file = "/nowhere/file";
	assert_err(ext4_make(f->here, &f->spec, CLOCK_NEVER, &e), ERR_HOST, "mke2fs");
}

/* Two trees alike, made in another order, are the same file system byte for byte. */

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_all_kinds_come_out_again),
	        TEST(test_content_with_holes),
	        TEST(test_the_ceiling_of_unpacking),
	        TEST(test_devices),
	        TEST(test_owners),
	        TEST(test_a_damaged_inode),
	        TEST(test_what_is_no_file_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
