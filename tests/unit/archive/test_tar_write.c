/* SPDX-License-Identifier: Apache-2.0 */
/* Trees written as tars, compared byte by byte, and unpacked again; packed tars, and sparse ones. */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/sysmacros.h>

#include "archive/tar.h"
#include "trees.h"

static void make_tree(struct trees *f, bool backwards)
{
	static const char *const names[] = {"b", "a", "dir/z", "dir/\xff\xfe", "e\xcc\x81"};

	assert_int_equal(mkdirat(f->fd, "dir", 0750), 0);
	for (size_t i = 0; i < 5; i++)
		trees_put(f, names[backwards ? 4 - i : i], names[backwards ? 4 - i : i], 0640);
	assert_int_equal(linkat(f->fd, "dir/z", f->fd, "first", 0), 0);
	assert_int_equal(symlinkat("\xc3\xa9", f->fd, "link"), 0);
	assert_int_equal(mkfifoat(f->fd, "pipe", 0600), 0);
	trees_put(f, "old", "old", 04711);
	trees_date(f, "old", 100, 5);
	trees_date(f, "a", 200, 0);
	trees_date(f, "link", 300, 0);
	int fd = openat(f->fd, "old", O_RDONLY | O_CLOEXEC);
	const char *first = backwards ? "user.b" : "user.a",
	           *second = backwards ? "user.a" : "user.b";
	assert_int_equal(fsetxattr(fd, first, "value", 5, 0), 0);
	assert_int_equal(fsetxattr(fd, second, "value", 5, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.overlay.origin", "x", 1, 0), 0);
	close(fd);
	assert_int_equal(mknodat(f->fd, "sock", S_IFSOCK | 0600, 0), 0);
}

static struct blob tar_of(struct trees *f, int64_t epoch)
{
	struct err e;
	int fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_ok(tar_write(f->fd, fd, epoch, CLOCK_NEVER, &e));
	close(fd);
	return trees_file(f);
}

static void test_the_same_tree_is_the_same_tar(void **state)
{
	struct trees *f = *state;
	void *own;

	make_tree(f, false);
	trees_setup(&own);
	struct trees *g = own;
	make_tree(g, true);
	struct blob x = tar_of(f, 400), y = tar_of(g, 400);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	assert_int_equal(x.len % 10240, 0);
	assert_string_equal(x.data, "./");
	assert_non_null(memmem(x.data, x.len, "SCHILY.xattr.user.a=value", 25));
	assert_null(memmem(x.data, x.len, "LIBARCHIVE.xattr", 16));
	assert_null(memmem(x.data, x.len, "overlay", 7));
	trees_date(g, "a", 201, 0);
	y = tar_of(g, 400);
	assert_memory_not_equal(x.data, y.data, x.len);
	assert_int_equal(trees_teardown(&own), 0);
}

static void test_what_was_written_is_read(void **state)
{
	struct trees *f = *state;
	struct err e;
	void *own;

	make_tree(f, false);
	char *large = calloc(1, 3 * MIB);
	memset(large, 'l', 3 * MIB - 7);
	trees_put(f, "large", large, 0600);
	tar_of(f, 400);
	trees_setup(&own);
	struct trees *g = own;
	assert_ok(tar_unpack(f->file, g->fd, 4 * MIB, CLOCK_NEVER, &e));
	assert_string_equal(trees_text(g, "large"), large);
	free(large);
	assert_string_equal(trees_text(g, "dir/\xff\xfe"), "dir/\xff\xfe");
	assert_string_equal(trees_text(g, "e\xcc\x81"), "e\xcc\x81");
	assert_int_equal(trees_stat(g, "dir").st_mode, S_IFDIR | 0750);
	assert_int_equal(trees_stat(g, "first").st_ino, trees_stat(g, "dir/z").st_ino);
	assert_int_equal(trees_stat(g, "old").st_mode, S_IFREG | 04711);
	assert_int_equal(trees_stat(g, "old").st_mtim.tv_sec, 100);
	assert_int_equal(trees_stat(g, "old").st_mtim.tv_nsec, 5);
	assert_int_equal(trees_stat(g, "a").st_mtim.tv_sec, 200);
	assert_int_equal(trees_stat(g, "link").st_mtim.tv_sec, 300);
	assert_int_equal(trees_stat(g, "b").st_mtim.tv_sec, 400);
	assert_int_equal(trees_stat(g, "b").st_mtim.tv_nsec, 0);
	assert_int_equal(trees_stat(g, "pipe").st_mode, S_IFIFO | 0600);
	assert_false(trees_has(g, "sock"));
	char target[8] = {0}, value[8] = {0};
	assert_int_equal(readlinkat(g->fd, "link", target, sizeof target), 2);
	assert_string_equal(target, "\xc3\xa9");
	assert_int_equal(trees_xattr(g, "old", "user.a", value, sizeof value), 5);
	assert_string_equal(value, "value");
	assert_int_equal(trees_xattr(g, "old", "user.overlay.origin", value, sizeof value), -1);
	assert_int_equal(trees_teardown(&own), 0);
}

static void unpacked(struct trees *f, int64_t epoch, void **own)
{
	struct err e;

	tar_of(f, epoch);
	trees_setup(own);
	struct trees *g = *own;
	assert_ok(tar_unpack(f->file, g->fd, 4 * MIB, CLOCK_NEVER, &e));
}

/* Fractions of a second are kept where an entry has more to say than an old header holds. */
static void test_what_is_dated_at_the_epoch(void **state)
{
	struct trees *f = *state;
	void *own;

	const char *long_name = arena_printf(f->a, "%0200d", 1);

	trees_put(f, "before", "b", 0600);
	trees_put(f, long_name, "l", 0600);
	trees_date(f, long_name, 399, 999999999);
	trees_put(f, "at", "a", 0600);
	trees_date(f, "before", 399, 999999999);
	trees_date(f, "at", 400, 7);
	unpacked(f, 400, &own);
	assert_int_equal(trees_stat(own, "before").st_mtim.tv_sec, 399);
	assert_int_equal(trees_stat(own, "before").st_mtim.tv_nsec, 0);
	assert_int_equal(trees_stat(own, long_name).st_mtim.tv_sec, 399);
	assert_int_equal(trees_stat(own, long_name).st_mtim.tv_nsec, 999999999);
	assert_int_equal(trees_stat(own, "at").st_mtim.tv_sec, 400);
	assert_int_equal(trees_stat(own, "at").st_mtim.tv_nsec, 0);
	assert_int_equal(trees_teardown(&own), 0);
}

static void test_owners_and_devices(void **state)
{
	struct trees *f = *state;
	void *own;

	if (!unit_is_root())
		skip();
	trees_put(f, "small", "s", 0600);
	trees_put(f, "large", "l", 0600);
	assert_int_equal(fchownat(f->fd, "small", 11, 12, 0), 0);
	assert_int_equal(fchownat(f->fd, "large", 3000000, 4000000000U, 0), 0);
	assert_int_equal(fchmodat(f->fd, "large", 06755, 0), 0);
	assert_int_equal(mkdirat(f->fd, "dev", 0755), 0);
	assert_int_equal(mknodat(f->fd, "dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	unpacked(f, 400, &own);
	struct stat st = trees_stat(own, "small");
	assert_int_equal(st.st_uid, 11);
	assert_int_equal(st.st_gid, 12);
	st = trees_stat(own, "large");
	assert_int_equal(st.st_uid, 3000000);
	assert_int_equal(st.st_gid, 4000000000U);
	assert_int_equal(st.st_mode, S_IFREG | 06755);
	assert_int_equal(trees_stat(own, "dev/null").st_rdev, makedev(1, 3));
	assert_int_equal(trees_teardown(&own), 0);
}

/* Several names of one file, a link's too: the content is in the tar once. */
static void test_names_of_one_file(void **state)
{
	struct trees *f = *state;
	char text[20001] = {0};
	void *own;

	memset(text, 'c', sizeof text - 1);
	trees_put(f, "c", text, 0600);
	assert_int_equal(linkat(f->fd, "c", f->fd, "a", 0), 0);
	assert_int_equal(linkat(f->fd, "c", f->fd, "b", 0), 0);
	assert_int_equal(symlinkat("c", f->fd, "l"), 0);
	assert_int_equal(linkat(f->fd, "l", f->fd, "m", 0), 0);
	trees_put(f, "other", "o", 0600);
	assert_int_equal(linkat(f->fd, "other", f->fd, "p", 0), 0);
	assert_int_equal(tar_of(f, 400).len, 30720);
	unpacked(f, 400, &own);
	struct stat st = trees_stat(own, "a");
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(st.st_size, 20000);
	assert_int_equal(st.st_ino, trees_stat(own, "b").st_ino);
	assert_int_equal(st.st_ino, trees_stat(own, "c").st_ino);
	assert_int_equal(trees_stat(own, "m").st_ino, trees_stat(own, "l").st_ino);
	assert_int_equal(trees_stat(own, "other").st_ino, trees_stat(own, "p").st_ino);
	assert_string_equal(trees_text(own, "p"), "o");
	assert_int_equal(trees_teardown(&own), 0);
}

static void test_a_full_disk(void **state)
{
	struct trees *f = *state;
	struct err e;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	trees_put(f, "x", "x", 0600);
	assert_err(tar_write(f->fd, fd, 0, CLOCK_NEVER, &e), ERR_HOST, "No space left");
	assert_int_equal(e.no, ENOSPC);
	close(fd);
}

static void test_the_deadline(void **state)
{
	struct trees *f = *state;
	struct err e;
	int fd = open(f->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	trees_put(f, "x", "x", 0600);
	assert_err(tar_write(f->fd, fd, 0, 0, &e), ERR_HOST, "'./x': Connection timed out");
	assert_int_equal(e.no, ETIMEDOUT);
	close(fd);
}

/* libarchive's writer knows what is sparse, and each of the ways to pack it. */
static void write_packed(struct trees *f, int (*filter)(struct archive *))
{
	struct archive *a = archive_write_new();
	struct archive_entry *x = archive_entry_new();
	char end[4096];

	memset(end, 'e', sizeof end);
	assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
	assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, f->file), ARCHIVE_OK);
	archive_entry_set_pathname(x, "sparse");
	archive_entry_set_filetype(x, AE_IFREG);
	archive_entry_set_uid(x, geteuid());
	archive_entry_set_gid(x, getegid());
	archive_entry_set_perm(x, 0600);
	archive_entry_set_size(x, 8 << 20);
	archive_entry_sparse_add_entry(x, 4 << 20, sizeof end);
	assert_int_equal(archive_write_header(a, x), ARCHIVE_OK);
	char *zeros = calloc(1, 4 << 20);
	archive_write_data(a, zeros, 4 << 20);
	archive_write_data(a, end, sizeof end);
	archive_write_data(a, zeros, (4 << 20) - sizeof end);
	free(zeros);
	archive_entry_free(x);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static void test_packed_and_sparse(void **state)
{
	static int (*const filters[])(struct archive *) = {
	        archive_write_add_filter_none, archive_write_add_filter_gzip,
	        archive_write_add_filter_xz, archive_write_add_filter_zstd};

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		void *own;
		struct err e;

		trees_setup(&own);
		struct trees *f = own;
		write_packed(f, filters[i]);
		assert_ok(tar_unpack(f->file, f->fd, 8 * MIB, CLOCK_NEVER, &e));
		struct stat st = trees_stat(f, "sparse");
		assert_int_equal(st.st_size, 8 << 20);
		assert_true(st.st_blocks <= 64);
		const char *text = trees_text(f, "sparse");
		assert_int_equal(text[4 << 20], 'e');
		assert_int_equal(text[(4 << 20) + 4095], 'e');
		assert_int_equal(text[(4 << 20) + 4096], 0);
		assert_err(tar_unpack(f->file, f->fd, 8 * MIB - 1, CLOCK_NEVER, &e), ERR_INPUT,
		           "more than the 7 MiB");
		assert_int_equal(trees_teardown(&own), 0);
	}
	(void)state;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, trees_setup, trees_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_the_same_tree_is_the_same_tar),
	        TEST(test_what_was_written_is_read),
	        TEST(test_what_is_dated_at_the_epoch),
	        TEST(test_owners_and_devices),
	        TEST(test_names_of_one_file),
	        TEST(test_a_full_disk),
	        TEST(test_the_deadline),
	        cmocka_unit_test(test_packed_and_sparse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
