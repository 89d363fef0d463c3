/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that others made, by mke2fs and debugfs: each way of keeping content, and each thing that is refused. */
#include "unit.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>

#include "base/str.h"
#include "disk/ext4.h"
#include "trees.h"

#define OFFSET ((uint64_t)MIB)
#define SIZE   (16 * MIB)

struct fixture {
	struct trees *t; /* its tree is put into the file system in its file */
	struct trees *out;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	trees_setup(&trees);
	f->out = trees;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;
	int r = trees_teardown(&trees);

	trees = f->out;
	free(f);
	return trees_teardown(&trees) || r;
}

static void sh(struct fixture *f, const char *command)
{
	const char *all = arena_printf(f->t->a, "{ %s; } >%s/said 2>&1", command, f->t->dir);

	if (system(all) != 0) {
		(void)!system(arena_printf(f->t->a, "cat %s/said", f->t->dir));
		fail_msg("%s", command);
	}
}

/* A file system of the tree, made with these options. */
static void make(struct fixture *f, const char *options)
{
	(void)unlink(f->t->file);
	int fd = open(f->t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
	close(fd);
	sh(f, arena_printf(f->t->a, "mke2fs -q -F -b 1024 %s -E offset=%llu -d %s %s %lluk",
	                   options, (unsigned long long)OFFSET, f->t->path, f->t->file,
	                   (unsigned long long)SIZE / 1024));
}

static void change(struct fixture *f, const char *command)
{
	sh(f, arena_printf(f->t->a, "debugfs -w -R '%s' '%s?offset=%llu'", command, f->t->file,
	                   (unsigned long long)OFFSET));
}

static int unpack(struct fixture *f, uint64_t ceiling, struct err *e)
{
	sh(f, arena_printf(f->t->a, "find %s -mindepth 1 -delete", f->out->path));
	memset(e, 0, sizeof *e);
	return ext4_unpack(f->t->file, OFFSET, f->out->fd, ceiling, true, e);
}

static const char *pattern(struct fixture *f, size_t len)
{
	char *text = arena_alloc(f->t->a, len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + (i / 1024 + i) % 26);
	text[len] = '\0';
	return text;
}

static void content_is_read_however_it_is_kept(void **state)
{
	static const char *const kinds[] = {
	        "-t ext2",
	        "-t ext3",
	        "-t ext4",
	        "-t ext4 -O inline_data -I 256",
	};
	struct fixture *f = *state;
	struct err e;

	trees_put(f->t, "tiny", "few", 0644);
	trees_put(f->t, "none", "", 0644);
	/* Past the blocks that an inode names itself, and past those that one block names. */
	trees_put(f->t, "direct", pattern(f, 12 * 1024), 0644);
	trees_put(f->t, "single", pattern(f, 13 * 1024 + 7), 0644);
	trees_put(f->t, "double", pattern(f, 300 * 1024), 0644);
	trees_put(f->t, "holes", pattern(f, 3000), 0644);
	int fd = openat(f->t->fd, "holes", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "end", 3, 900 << 10), 3);
	assert_int_equal(ftruncate(fd, (900 << 10) + 5000), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		make(f, kinds[i]);
		assert_ok(unpack(f, 64 * MIB, &e));
		for (const char *const *p = (const char *const[]){"tiny", "none", "direct",
		                                                  "single", "double", NULL};
		     *p; p++)
			assert_string_equal(trees_text(f->out, *p), trees_text(f->t, *p));
		if (i < 3) /* mke2fs loses the hole at the end, where there is inline data */
			sh(f, arena_printf(f->t->a, "cmp %s/holes %s/holes", f->t->path,
			                   f->out->path));
	}
	/* What has been promised room, and was never written, are zeros. */
	change(f, "fallocate /tiny 1 4");
	change(f, "set_inode_field /tiny size 5000");
	assert_ok(unpack(f, 64 * MIB, &e));
	assert_int_equal(trees_stat(f->out, "tiny").st_size, 5000);
}

static void the_ceiling_is_of_all_content(void **state)
{
	struct fixture *f = *state;
	struct err e;

	trees_put(f->t, "a", pattern(f, 2 << 20), 0644);
	trees_put(f->t, "b", pattern(f, 1 << 20), 0644);
	for (size_t i = 0; i < 2; i++) {
		make(f, i ? "-t ext4" : "-t ext2");
		assert_ok(unpack(f, 3 * MIB, &e));
		assert_err(unpack(f, 3 * MIB - 1, &e), ERR_INPUT, "': more than 2 MiB");
		assert_int_equal(e.reason, REASON_INPUT_LIMIT);
		assert_int_equal(e.no, EFBIG);
	}
}

/* Past 2038, and before 1970; owners of more than 16 bits. */
static void times_and_owners_are_wide(void **state)
{
	struct fixture *f = *state;
	struct err e;

	if (!unit_is_root())
		skip();
	trees_put(f->t, "a", "x", 0644);
	trees_put(f->t, "b", "x", 0644);
	make(f, "-t ext4 -I 256");
	change(f, "set_inode_field /a mtime @5000000000");
	change(f, "set_inode_field /a mtime_extra 0x1d6f3455");
	change(f, "set_inode_field /b mtime @0xffffffff");
	change(f, "set_inode_field /a uid 131079");
	change(f, "set_inode_field /a gid 196617");
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->out, "a").st_uid, (2 << 16) + 7);
	assert_int_equal(trees_stat(f->out, "a").st_gid, (3 << 16) + 9);
	struct timespec t = trees_stat(f->out, "a").st_mtim;
	assert_int_equal(t.tv_sec, 5000000000);
	assert_int_equal(t.tv_nsec, 0x1d6f3455 >> 2);
	/* The small inodes of old have no such bits. */
	make(f, "-t ext2 -I 128");
	change(f, "set_inode_field /b mtime @0x7fffffff");
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->out, "b").st_mtim.tv_sec, 0x7fffffff);
	assert_int_equal(trees_stat(f->out, "b").st_mtim.tv_nsec, 0);
}

static void what_no_file_can_be_is_refused(void **state)
{
	static const struct {
		const char *change;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	        {"set_inode_field /d/file mode 0150644", ERR_INTEGRITY,
	         "unpacking '/d/file': its type is unknown"},
	        {"set_inode_field /d/file flags 0x800", ERR_INPUT,
	         "unpacking '/d/file': it is encrypted"},
	        {"set_inode_field /slow size 4096", ERR_INTEGRITY,
	         "unpacking '/slow': its target is too long"},
	        {"set_inode_field /d/file mode 040755", ERR_INTEGRITY, "/d/file'"},
	        {"set_inode_field /d/file mode 060644", ERR_INPUT,
	         "unpacking '/d/file': it is a device, which an image gets when it boots"},
	        {"set_inode_field /d/file mode 020644", ERR_INPUT, "it is a device"},
	        {"set_inode_field /d/file block[0] 999999", ERR_INTEGRITY,
	         "unpacking '/d/file': blocks outside of the file system"},
	};
	struct fixture *f = *state;
	const char *target = pattern(f, 1000);
	struct err e;

	assert_int_equal(mkdirat(f->t->fd, "d", 0755), 0);
	trees_put(f->t, "d/file", "content", 0644);
	assert_int_equal(symlinkat(target, f->t->fd, "slow"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(f, "-t ext2");
		assert_ok(unpack(f, MIB, &e));
		change(f, rows[i].change);
		int r = unpack(f, MIB, &e);
		if (r >= 0 || e.kind != rows[i].kind || !strstr(e.text, rows[i].text))
			fail_msg("%s: %d: %s", rows[i].change, e.kind, e.text);
		if (rows[i].kind == ERR_INTEGRITY && strstr(rows[i].text, ": its")) {
			assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
			assert_int_equal(e.no, EBADMSG);
		}
	}
}

static void it_goes_as_deep_as_what_is_laid(void **state)
{
	struct fixture *f = *state;
	struct err e;
	int dir = dup(f->t->fd);

	for (int i = 0; i < 201; i++) {
		if (i == 200) {
			make(f, "-t ext4");
			assert_ok(unpack(f, MIB, &e));
		}
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
	make(f, "-t ext4");
	assert_err(unpack(f, MIB, &e), ERR_HOST, "listing");
	assert_int_equal(e.no, ELOOP);
}

/* The kernel shows no such name; whoever made the file system may have written one. */
static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const names[] = {"a/b", "/", "../x", "x/"};
	struct fixture *f = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ext2_filsys fs;
		ext2_ino_t dir;

		(void)mkdirat(f->t->fd, "d", 0755);
		trees_put(f->t, "d/file", "x", 0600);
		make(f, "-t ext4");
		assert_int_equal(ext2fs_open2(f->t->file, "offset=1048576", EXT2_FLAG_RW, 0, 0,
		                              unix_io_manager, &fs),
		                 0);
		assert_int_equal(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, "d", &dir), 0);
		assert_int_equal(ext2fs_link(fs, dir, names[i], dir + 1, EXT2_FT_REG_FILE), 0);
		assert_int_equal(ext2fs_close_free(&fs), 0);
		assert_err(unpack(f, MIB, &e), ERR_INTEGRITY, "a name in it is invalid");
		assert_non_null(strstr(e.text, "/d'"));
		assert_false(trees_has(f->out, "d/file"));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(content_is_read_however_it_is_kept),
	        TEST(the_ceiling_is_of_all_content),
	        TEST(times_and_owners_are_wide),
	        TEST(what_no_file_can_be_is_refused),
	        TEST(it_goes_as_deep_as_what_is_laid),
	        TEST(names_that_lead_elsewhere_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
