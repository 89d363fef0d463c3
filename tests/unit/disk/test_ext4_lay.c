/* SPDX-License-Identifier: Apache-2.0 */
/* Layers laid one over the other: what is removed, how much room it takes, the same bytes. */
#include "ext4_test.h"

#include <ext2fs/ext2fs.h>

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

static void make_deep(struct fixture *f, int levels)
{
	int dir = dup(f->t->fd);

	for (int i = 0; i < levels; i++) {
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
}

static void test_how_deep_it_goes(void **state)
{
	struct fixture *f = *state;
	struct ext4_need need;
	struct err e;

	make_deep(f, 199);
	assert_ok(ext4_measure(f->t->fd, &need, &e));
	assert_int_equal(need.inodes, 199);
	next_layer(f);
	make_deep(f, 200);
	lay(f);
	unpack(f);
	next_layer(f);
	make_deep(f, 201);
	assert_err(ext4_measure(f->t->fd, &need, &e), ERR_HOST, "measuring the tree: ");
	assert_err(ext4_lay(&f->spec, f->t->fd, &e), ERR_HOST, "listing");
	assert_int_equal(e.no, ELOOP);
}

/* By files that lie side by side a fault is told with its own name. */
static void test_the_name_that_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e;

	trees_put(f->t, "a", "x", 0644);
	assert_int_equal(mkdirat(f->t->fd, "d", 0755), 0);
	trees_put(f->t, "d/e", "x", 0644);
	char *text = large(40 << 20, 'x');
	trees_put(f->t, "large", text, 0644);
	free(text);
	assert_true(ext4_lay(&f->spec, f->t->fd, &e) < 0);
	if (!strstr(e.text, "'/large'") && !strstr(e.text, " /large"))
		fail_msg("%s", e.text);
}

static int type_of_name(struct ext2_dir_entry *entry, int at, int block, char *buf, void *types)
{
	int len = ext2fs_dirent_name_len(entry);

	(void)at, (void)block, (void)buf;
	if (len == 1)
		((unsigned char *)types)[(unsigned char)entry->name[0]] =
		        (unsigned char)ext2fs_dirent_file_type(entry);
	return 0;
}

/* Who lists a directory is told of what kind each name is. */
static void test_names_have_their_kind(void **state)
{
	struct fixture *f = *state;
	struct trees *t = f->t;
	unsigned char types[256] = {0};
	ext2_filsys fs;

	unit_need_root();
	trees_put(t, "f", "x", 0600);
	assert_int_equal(mkdirat(t->fd, "d", 0700), 0);
	assert_int_equal(mkdirat(t->fd, "dev", 0700), 0);
	assert_int_equal(symlinkat("f", t->fd, "l"), 0);
	assert_int_equal(mkfifoat(t->fd, "p", 0600), 0);
	assert_int_equal(mknodat(t->fd, "s", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mknodat(t->fd, "c", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknodat(t->fd, "b", S_IFBLK | 0600, makedev(7, 0)), 0);
	assert_int_equal(linkat(t->fd, "f", t->fd, "h", 0), 0);
	lay(f);
	assert_int_equal(ext2fs_open2(t->file, "offset=1048576", 0, 0, 0, unix_io_manager, &fs), 0);
	assert_int_equal(ext2fs_dir_iterate(fs, EXT2_ROOT_INO, 0, NULL, type_of_name, types), 0);
	ext2fs_close_free(&fs);
	assert_int_equal(types['f'], EXT2_FT_REG_FILE);
	assert_int_equal(types['h'], EXT2_FT_REG_FILE);
	assert_int_equal(types['d'], EXT2_FT_DIR);
	assert_int_equal(types['l'], EXT2_FT_SYMLINK);
	assert_int_equal(types['p'], EXT2_FT_FIFO);
	assert_int_equal(types['s'], EXT2_FT_SOCK);
	assert_int_equal(types['c'], EXT2_FT_CHRDEV);
	assert_int_equal(types['b'], EXT2_FT_BLKDEV);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_a_layer_over_another),
	        TEST(test_removing_gives_all_back),
	        TEST(test_measuring),
	        TEST(test_no_space),
	        TEST(test_the_same_tree_is_the_same_bytes),
	        TEST(test_how_deep_it_goes),
	        TEST(test_the_name_that_is_told),
	        TEST(test_names_have_their_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
