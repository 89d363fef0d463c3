/* SPDX-License-Identifier: Apache-2.0 */
/* File systems made, laid in layers, and unpacked again; e2fsck has the last word on them. */
#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "disk/ext4.h"
#include "trees.h"

#define OFFSET ((uint64_t)MIB)
#define SIZE   (32 * MIB)
#define EPOCH  1000000000

struct fixture {
	struct trees *t; /* its tree is the layer; its file the disk */
	struct trees *out;
	struct host *here;
	struct ext4_spec spec;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	trees_setup(&trees);
	f->out = trees;
	int fd = open(f->t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
	close(fd);
	assert_ok(host_open("/", HOST_LIVE, &f->here, &e));
	f->spec = (struct ext4_spec){.file = f->t->file,
	                             .offset = OFFSET,
	                             .size = SIZE,
	                             .uuid = "11111111-2222-3333-4444-555555555555",
	                             .hash_seed = "66666666-7777-8888-9999-aaaaaaaaaaaa",
	                             .label = "root",
	                             .epoch = EPOCH};
	assert_ok(ext4_make(f->here, &f->spec, CLOCK_NEVER, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;
	int r = trees_teardown(&trees);

	trees = f->out;
	host_close(f->here);
	free(f);
	return trees_teardown(&trees) || r;
}

static void assert_sound(struct fixture *f)
{
	char command[256];

	snprintf(command, sizeof command, "e2fsck -fn '%s?offset=%llu' >%s/fsck 2>&1", f->t->file,
	         (unsigned long long)OFFSET, f->t->dir);
	if (system(command) != 0) {
		snprintf(command, sizeof command, "cat %s/fsck", f->t->dir);
		(void)!system(command);
		fail_msg("e2fsck finds it damaged");
	}
}

static void lay(struct fixture *f)
{
	struct err e;

	assert_ok(ext4_lay(&f->spec, f->t->fd, &e));
	assert_sound(f);
}

static void unpack(struct fixture *f)
{
	struct err e;

	assert_ok(ext4_unpack(f->t->file, OFFSET, f->out->fd, 64 * MIB, true, &e));
}

/* Another layer in the tree's place. */
static void next_layer(struct fixture *f)
{
	char command[256];

	snprintf(command, sizeof command, "find %s -mindepth 1 -delete", f->t->path);
	assert_int_equal(system(command), 0);
}

static bool disk_has(struct fixture *f, const char *text)
{
	struct blob all = trees_file(f->t);

	return memmem(all.data, all.len, text, strlen(text));
}

static char *large(size_t len, char c)
{
	char *text = calloc(1, len + 1);

	memset(text, c, len);
	return text;
}

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

static void test_a_layer_over_another(void **state)
{
	struct fixture *f = *state;
	struct trees *t = f->t, *o = f->out;
	char path[128];

	assert_int_equal(mkdirat(t->fd, "keep", 0700), 0);
	assert_int_equal(mkdirat(t->fd, "opaque", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "gone", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "gone/deep", 0755), 0);
	assert_int_equal(mkdirat(t->fd, "dir-to-file", 0755), 0);
	trees_put(t, "keep/a", "SECRET-OLD-A", 0600);
	trees_put(t, "keep/b", "b", 0600);
	trees_put(t, "opaque/x", "SECRET-OPAQUE", 0600);
	trees_put(t, "gone/deep/x", "SECRET-GONE", 0600);
	trees_put(t, "dir-to-file/x", "SECRET-DIR", 0600);
	trees_put(t, "file-to-dir", "SECRET-FILE", 0600);
	trees_put(t, "first", "SECRET-LINKED", 0600);
	assert_int_equal(linkat(t->fd, "first", t->fd, "second", 0), 0);
	trees_put(t, "removed", "SECRET-REMOVED", 0600);
	snprintf(path, sizeof path, "%s/removed", t->path);
	char *value = large(2000, 'X');
	assert_int_equal(setxattr(path, "user.large", value, 2000, 0), 0);
	free(value);
	lay(f);
	assert_true(disk_has(f, "SECRET-GONE"));
	next_layer(f);
	assert_int_equal(mkdirat(t->fd, "keep", 0711), 0);
	assert_int_equal(mkdirat(t->fd, "opaque", 0700), 0);
	assert_int_equal(mkdirat(t->fd, "file-to-dir", 0755), 0);
	snprintf(path, sizeof path, "%s/opaque", t->path);
	assert_int_equal(setxattr(path, "user.overlay.opaque", "y", 1, 0), 0);
	trees_put(t, "keep/a", "new a", 0640);
	trees_put(t, "opaque/y", "y", 0600);
	trees_put(t, "file-to-dir/in", "in", 0600);
	trees_put(t, "dir-to-file", "file", 0600);
	assert_int_equal(mknodat(t->fd, "gone", S_IFCHR, 0), 0);
	assert_int_equal(mknodat(t->fd, "removed", S_IFCHR, 0), 0);
	assert_int_equal(mknodat(t->fd, "first", S_IFCHR, 0), 0);
	assert_int_equal(mknodat(t->fd, "never-was", S_IFCHR, 0), 0);
	lay(f);
	unpack(f);
	assert_string_equal(trees_text(o, "keep/a"), "new a");
	assert_int_equal(trees_stat(o, "keep/a").st_mode, S_IFREG | 0640);
	assert_string_equal(trees_text(o, "keep/b"), "b");
	assert_int_equal(trees_stat(o, "keep").st_mode, S_IFDIR | 0711);
	assert_false(trees_has(o, "opaque/x"));
	assert_string_equal(trees_text(o, "opaque/y"), "y");
	assert_int_equal(trees_xattr(o, "opaque", "user.overlay.opaque", path, 8), -1);
	assert_string_equal(trees_text(o, "file-to-dir/in"), "in");
	assert_string_equal(trees_text(o, "dir-to-file"), "file");
	assert_false(trees_has(o, "gone"));
	assert_false(trees_has(o, "removed"));
	assert_false(trees_has(o, "first"));
	assert_false(trees_has(o, "never-was"));
	assert_string_equal(trees_text(o, "second"), "SECRET-LINKED");
	assert_int_equal(trees_stat(o, "second").st_nlink, 1);
	static const char *const secrets[] = {"SECRET-OLD-A", "SECRET-OPAQUE", "SECRET-GONE",
	                                      "SECRET-DIR",   "SECRET-FILE",   "SECRET-REMOVED",
	                                      "XXXXXXXXXXXX"};
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (disk_has(f, secrets[i]))
			fail_msg("'%s' is left", secrets[i]);
}

/* What was removed is as if it had never been: space, inodes and every byte. */
static void test_removing_gives_all_back(void **state)
{
	struct fixture *f = *state;
	struct ext4_need before, between, after;
	struct err e;
	char *text = large(3 * MIB, 'x');

	lay(f);
	assert_ok(ext4_space(&f->spec, &before, &e));
	struct blob was = trees_file(f->t);
	assert_int_equal(mkdirat(f->t->fd, "d", 0755), 0);
	trees_put(f->t, "d/large", text, 0600);
	free(text);
	lay(f);
	assert_ok(ext4_space(&f->spec, &between, &e));
	assert_int_equal(before.inodes - between.inodes, 2);
	assert_int_equal(before.bytes - between.bytes, 3 * MIB + 4096);
	next_layer(f);
	assert_int_equal(mknodat(f->t->fd, "d", S_IFCHR, 0), 0);
	lay(f);
	assert_ok(ext4_space(&f->spec, &after, &e));
	assert_int_equal(before.inodes, after.inodes);
	assert_int_equal(before.bytes, after.bytes);
	struct blob is = trees_file(f->t);
	size_t others = 0;
	for (size_t i = OFFSET + 12 * MIB; i < is.len; i++)
		others += was.data[i] != is.data[i];
	assert_int_equal(others, 0);
}

static void test_measuring(void **state)
{
	struct fixture *f = *state;
	struct ext4_need need = {7, 7};
	struct err e;

	assert_int_equal(mkdirat(f->t->fd, "d", 0755), 0);
	trees_put(f->t, "d/one", "x", 0600);
	char *text = large(4097, 'x');
	trees_put(f->t, "two", text, 0600);
	free(text);
	trees_put(f->t, "none", "", 0600);
	assert_ok(ext4_measure(f->t->fd, &need, &e));
	assert_int_equal(need.inodes, 4);
	assert_int_equal(need.bytes, 4096 * (1 + 1 + 2));
	need.bytes = 7;
	assert_err(ext4_measure(-1, &need, &e), ERR_HOST, "measuring the tree");
	assert_int_equal(need.bytes, 7);
}

static void test_no_space(void **state)
{
	struct fixture *f = *state;
	struct err e;
	char *text = large(15 * MIB, 'x');

	trees_put(f->t, "a", text, 0600);
	trees_put(f->t, "b", text, 0600);
	trees_put(f->t, "c", text, 0600);
	free(text);
	assert_err(ext4_lay(&f->spec, f->t->fd, &e), ERR_INPUT, "no space left");
	assert_int_equal(e.no, ENOSPC);
	assert_non_null(strstr(e.text, "'/"));
}

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
	lay(f);
	unpack(f);
	assert_int_equal(trees_stat(f->out, "dev/null").st_rdev, makedev(1, 3));
	assert_int_equal(trees_stat(f->out, "dev/wide").st_rdev, makedev(259, 70000));
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
static void test_the_same_tree_is_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	void *other;

	setup(&other);
	struct fixture *g = other;
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		trees_put(f->t, name, name, 0600);
		snprintf(name, sizeof name, "n%d", 39 - i);
		trees_put(g->t, name, name, 0600);
	}
	lay(f);
	lay(g);
	struct blob a = trees_file(f->t), b = trees_file(g->t);
	assert_int_equal(a.len, b.len);
	assert_true(memcmp(a.data, b.data, a.len) == 0);
	assert_int_equal(teardown(&other), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_all_kinds_come_out_again),
	        TEST(test_content_with_holes),
	        TEST(test_a_layer_over_another),
	        TEST(test_removing_gives_all_back),
	        TEST(test_measuring),
	        TEST(test_no_space),
	        TEST(test_the_ceiling_of_unpacking),
	        TEST(test_devices),
	        TEST(test_owners),
	        TEST(test_a_damaged_inode),
	        TEST(test_what_is_no_file_system),
	        TEST(test_the_same_tree_is_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
