/* SPDX-License-Identifier: Apache-2.0 */
/* Tars unpacked and looked at: what they may hold, and what none may. */
#include "tar_test.h"

#include <signal.h>
#include <sys/resource.h>

static void test_all_kinds(void **state)
{
	struct fixture *f = *state;
	char target[64] = {0};
	struct err e;

	add(f, (struct entry){"./", '5', .mode = 0750, .mtime = 5});
	add(f, (struct entry){"./etc/", '5', .mode = 0711, .mtime = 1234567890});
	add(f, (struct entry){"./etc/motd", .content = "hello\n", .mode = 04755, .mtime = 77});
	add(f, (struct entry){"./etc/again", '1', "etc/motd"});
	add(f, (struct entry){"etc//link", '2', "../outside"});
	add(f, (struct entry){"/abs/./olute", .content = "x"});
	add(f, (struct entry){"pipe", '6'});
	add(f, (struct entry){"empty"});
	assert_ok(unpack(f, MIB, &e));
	struct stat st = trees_stat(f->t, "etc/motd");
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_mtim.tv_sec, 77);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_ino, trees_stat(f->t, "etc/again").st_ino);
	assert_string_equal(trees_text(f->t, "etc/motd"), "hello\n");
	st = trees_stat(f->t, "etc");
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	st = trees_stat(f->t, ".");
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(st.st_mtim.tv_sec, 5);
	assert_int_equal(readlinkat(f->t->fd, "etc/link", target, sizeof target), 10);
	assert_string_equal(target, "../outside");
	assert_int_equal(trees_stat(f->t, "etc/link").st_mtim.tv_sec, 1000000000);
	assert_string_equal(trees_text(f->t, "abs/olute"), "x");
	assert_int_equal(trees_stat(f->t, "abs").st_mode, S_IFDIR | 0755);
	assert_int_equal(trees_stat(f->t, "pipe").st_mode, S_IFIFO | 0644);
	assert_int_equal(trees_stat(f->t, "empty").st_size, 0);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		struct entry first, then;
		const char *text;
	} cases[] = {
	        {{"../evil"}, {0}, "'../evil' leads out of the image"},
	        {{"x/../../evil"}, {0}, "'x/../../evil' leads out of the image"},
	        {{"x/.."}, {0}, "'x/..' leads out"},
	        {{"sda", '4', .major = 8}, {0}, "'sda' is a device"},
	        {{"dev/sda", '4', .major = 8}, {0}, "'dev/sda' is a device"},
	        {{"mem", '3', .major = 1, .minor = 1}, {0}, "'mem' is a device"},
	        {{"devil/mem", '3', .major = 1, .minor = 1}, {0}, "'devil/mem' is a device"},
	        {{"dev/x", '3'}, {0}, "'dev/x' is a device"},
	        {{"t", .pax = "mtime=9223372036854775807"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "mtime=-9223372036854775808"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "mtime=15032385536"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "uid=4294967295"}, {0}, "'t' has an invalid owner"},
	        {{"t", .pax = "gid=4294967295"}, {0}, "'t' has an invalid owner"},
	        {{"hard", '1', "none"},
	         {0},
	         "'hard' is a hard link to a file that the tar has not"},
	        {{"hard", '1', "/etc/passwd"}, {0}, "'hard' is a hard link to a file"},
	        {{"hard", '1', "../x"}, {0}, "'../x' leads out"},
	        {{"d", '5'}, {"hard", '1', "d"}, "'hard' is a hard link to a file"},
	        {{"a", .content = "x"}, {"a", '1', "./a"}, "'a' is a hard link to itself"},
	        {{"out", '2', "/tmp"},
	         {"out/evil", .content = "x"},
	         "'out/evil' leads out of the image through a link"},
	        {{"out", '2', "../.."}, {"out/evil", .content = "x"}, "through a link"},
	        {{"out", '2', "/"}, {"hard", '1', "out/etc/passwd"}, "'hard' is a hard link"},
	        {{"loop", '2', "loop"},
	         {"loop/x", .content = "x"},
	         "is below what is no directory"},
	        {{"none", '2', "gone"},
	         {"none/x", .content = "x"},
	         "is below what is no directory"},
	        {{"a", .content = "x"}, {"a/b", .content = "x"}, "is below what is no directory"},
	        {{"d/x", .content = "x"},
	         {"d", .content = "x"},
	         "'d' was a directory with names in it"},
	        {{".", '0', .content = "x"}, {0}, "is the tree itself, and no directory"},
	        {{"l", '2', ""}, {0}, "'l' is a link to nothing"},
	        {{"hard", '1', "."}, {0}, "'hard' is a hard link to a file that the tar has not"},
	        {{"d/x", .content = "x"},
	         {"d", '1', "d/x"},
	         "'d' was a directory with names in it before"},
	        {{"d/x", .content = "x"},
	         {"d", '2', "d/x"},
	         "'d' was a directory with names in it before"},
	        {{"d/x", .content = "x"}, {"d", '6'}, "'d' was a directory with names"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *own;
		struct err e;

		setup(&own);
		add(own, cases[i].first);
		if (cases[i].then.name)
			add(own, cases[i].then);
		assert_err(unpack(own, MIB, &e), ERR_INPUT, cases[i].text);
		assert_int_equal(teardown(&own), 0);
	}
	assert_int_equal(access("/tmp/evil", F_OK), -1);
	(void)state;
}

/* Next to what is refused. */
static void test_what_just_goes(void **state)
{
	static const struct {
		struct entry entry;
		int64_t mtime;
		uint32_t uid, gid;
	} rows[] = {
	        {{"t", .pax = "mtime=15032385535"}, 15032385535, 0, 0},
	        {{"t", .pax = "mtime=-2147483648"}, -2147483648LL, 0, 0},
	        {{"t", .pax = "mtime=0"}, 0, 0, 0},
	        {{"t", .pax = "uid=4294967294"}, 1000000000, 4294967294U, 0},
	        {{"t", .pax = "gid=4294967294"}, 1000000000, 0, 4294967294U},
	        {{"..t"}, 1000000000, 0, 0},
	        {{"t../.t/...", .pax = NULL}, 1000000000, 0, 0},
	};
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *own;

		setup(&own);
		struct fixture *f = own;
		add(f, rows[i].entry);
		assert_ok(unpack(f, MIB, &e));
		struct stat st = trees_stat(f->t, rows[i].entry.name);
		assert_int_equal(st.st_mtim.tv_sec, rows[i].mtime);
		assert_int_equal(st.st_uid, rows[i].uid);
		assert_int_equal(st.st_gid, rows[i].gid);
		assert_int_equal(teardown(&own), 0);
	}
	void *own;
	setup(&own);
	add(own, (struct entry){"t", .pax = "mtime=-2147483649"});
	assert_err(unpack(own, MIB, &e), ERR_INPUT, "'t' has an invalid timestamp");
	assert_int_equal(teardown(&own), 0);
}

static void test_the_ceiling(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .size = 600 << 10});
	add(f, (struct entry){"b", .size = 424 << 10});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->t, "b").st_size, 424 << 10);
	assert_err(unpack(f, MIB - 1, &e), ERR_INPUT,
	           "'b' makes it more than the 0 MiB of the disk");
	assert_false(trees_has(f->t, "c"));
}

/* What a full disk does. */
static void test_a_file_that_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, few;
	struct err e;

	add(f, (struct entry){"small", .content = "x"});
	add(f, (struct entry){"large", .size = 3 * BLOCK});
	finish(f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	few = (struct rlimit){BLOCK, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	int r = unpack(f, MIB, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, "'large': File too large"));
	assert_string_equal(trees_text(f->t, "small"), "x");
}

static void test_what_is_no_tar(void **state)
{
	static const char *const texts[] = {"", "no tar",
	                                    "a text that is longer than what a header takes "};
	struct fixture *f = *state;
	struct err e;

	fclose(f->tar);
	f->tar = NULL;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *file = fopen(f->t->file, "we");
		for (int k = 0; k < 30; k++)
			fputs(texts[i], file);
		fclose(file);
		assert_err(unpack(f, MIB, &e), ERR_INPUT, "file': ");
	}
	unlink(f->t->file);
	assert_err(unpack(f, MIB, &e), ERR_HOST, "opening '");
}

static void test_one_that_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .size = 5000});
	finish(f);
	assert_int_equal(truncate(f->t->file, 3000), 0);
	assert_err(unpack(f, MIB, &e), ERR_INPUT, "Truncated");
}

static void test_the_deadline(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .content = "x"});
	finish(f);
	assert_err(tar_unpack(f->t->file, f->t->fd, MIB, 0, &e), ERR_HOST, "deadline");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_err(tar_write(f->t->fd, f->t->fd, 0, 0, &e), ERR_HOST, "");
}

/* Whatever their characters and normal form, names are the bytes that are in the tar. */
static void test_attributes(void **state)
{
	struct fixture *f = *state;
	char value[64] = {0};
	struct err e;

	add(f, (struct entry){"d", '5', .mode = 0755,
	                      .pax = "SCHILY.acl.default=user::rwx,"
	                             "user:1234:r-x:1234,group::r-x,"
	                             "mask::r-x,other::---"});
	add(f, (struct entry){"d/x", .content = "x", .pax = "SCHILY.xattr.user.one=1"});
	add(f, (struct entry){"a", .content = "x",
	                      .pax = "SCHILY.acl.access=user::rw-,"
	                             "group:77:r--:77,user:1234:rw-:1234,"
	                             "user:12:r--:12,group::r--,mask::rw-,"
	                             "other::---"});
	add(f, (struct entry){"n", .content = "x",
	                      .pax = "SCHILY.acl.access=user::rw-,"
	                             "user:nobody:rw-,group::r--,mask::rw-,"
	                             "other::---"});
	add(f, (struct entry){"o", .content = "x", .pax = "SCHILY.xattr.user.overlay.opaque=y"});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_xattr(f->t, "d/x", "user.one", value, 8), 1);
	assert_int_equal(value[0], '1');
	/* What is made in a directory takes nothing of what it gives to others later. */
	assert_int_equal(trees_xattr(f->t, "d/x", "system.posix_acl_access", value, sizeof value),
	                 -1);
	assert_int_equal(trees_xattr(f->t, "d", "system.posix_acl_default", value, sizeof value),
	                 4 + 5 * 8);
	static const unsigned char want[] = {2,    0, 0, 0, /* version */
	                                     1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	                                     2,    0, 4, 0, 12,   0,    0,    0, /* users */
	                                     2,    0, 6, 0, 0xd2, 4,    0,    0,
	                                     4,    0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	                                     8,    0, 4, 0, 77,   0,    0,    0,
	                                     0x10, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	                                     0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	assert_int_equal(trees_xattr(f->t, "a", "system.posix_acl_access", value, sizeof value),
	                 sizeof want);
	assert_memory_equal(value, want, sizeof want);
	assert_int_equal(trees_xattr(f->t, "n", "system.posix_acl_access", value, sizeof value),
	                 -1);
	assert_int_equal(trees_xattr(f->t, "o", "user.overlay.opaque", value, sizeof value), -1);
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	struct err e;

	if (geteuid() != 0)
		skip();
	add(f, (struct entry){"dev/null", '3', .major = 1, .minor = 3, .mode = 0666});
	add(f, (struct entry){"x", .content = "x", .mode = 04755, .pax = "uid=70000"});
	add(f, (struct entry){"y", '2', "none", .pax = "gid=70001"});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->t, "dev/null").st_mode, S_IFCHR | 0666);
	assert_int_equal(trees_stat(f->t, "dev/null").st_rdev, makedev(1, 3));
	assert_int_equal(trees_stat(f->t, "x").st_uid, 70000);
	assert_int_equal(trees_stat(f->t, "x").st_mode, S_IFREG | 04755);
	assert_int_equal(trees_stat(f->t, "y").st_gid, 70001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_all_kinds),
	        cmocka_unit_test(test_what_is_refused),
	        cmocka_unit_test(test_what_just_goes),
	        TEST(test_the_ceiling),
	        TEST(test_a_file_that_cannot_be_written),
	        TEST(test_what_is_no_tar),
	        TEST(test_one_that_is_cut_off),
	        TEST(test_the_deadline),
	        TEST(test_attributes),
	        TEST(test_devices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
