/* SPDX-License-Identifier: Apache-2.0 */
/* Links, removals and attributes: what is there already, what stands in the way, what a dry run knows. */
#include "host_test.h"

#include <errno.h>

#include "base/scope.h"
#include "host/host_own.h"

static void whether_a_link_is_so(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(host_link_is(f->host, "/l", "to", &e), 0);
	assert_ok(host_symlink(f->host, "to", "/l", &e));
	assert_int_equal(host_link_is(f->host, "/l", "to", &e), 1);
	assert_int_equal(host_link_is(f->host, "/l", "t", &e), 0);
	assert_int_equal(host_link_is(f->host, "/l", "too", &e), 0);
	fixture_put(f, "/f", "to", 0644);
	assert_int_equal(host_link_is(f->host, "/f", "to", &e), 0);
	assert_err(host_link_is(f->host, "/f/below", "to", &e), ERR_HOST, "looking at '/f/below'");
	assert_err(host_link_is(f->host, "l", "to", &e), ERR_INPUT, "using 'l'");
	/* What is assumed counts before what is there. */
	assert_ok(host_symlink(f->dry, "else", "/l", &e));
	assert_int_equal(host_link_is(f->dry, "/l", "else", &e), 1);
	assert_int_equal(host_link_is(f->dry, "/l", "to", &e), 0);
	assert_int_equal(host_link_is(f->host, "/l", "to", &e), 1);
	assert_ok(host_write(f->dry, "/l", BLOB("else"), 0644, NULL, &e));
	assert_int_equal(host_link_is(f->dry, "/l", "else", &e), 0);
	assert_ok(host_remove(f->dry, "/l", &e));
	assert_int_equal(host_link_is(f->dry, "/l", "to", &e), 0);
}

/* A run that was killed left its own temporary name; a directory of that name is somebody's. */
static void what_is_left_of_an_earlier_run_is_no_obstacle(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(symlink("old", fixture_path(f, "/.l.hpc-new")), 0);
	assert_ok(host_symlink(f->host, "to", "/l", &e));
	assert_int_equal(host_link_is(f->host, "/l", "to", &e), 1);
	assert_int_equal(entries(f->root), 1);
	assert_int_equal(mkdir(fixture_path(f, "/.l.hpc-new"), 0755), 0);
	assert_ok(host_symlink(f->host, "two", "/l", &e));
	assert_int_equal(host_link_is(f->host, "/l", "two", &e), 1);
	assert_int_equal(entries(f->root), 2);
}

static void a_link_takes_no_directorys_place(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/d", 0755, NULL, &e));
	f->record[0] = '\0';
	assert_err(host_symlink(f->host, "to", "/d", &e), ERR_HOST,
	           "linking '/d' to 'to': Is a directory");
	assert_int_equal(e.no, EISDIR);
	assert_string_equal(f->record, "");
	assert_int_equal(entries(f->root), 1); /* nothing of it is left */
	fixture_put(f, "/f", "", 0644);
	assert_err(host_symlink(f->host, "to", "/f/l", &e), ERR_HOST, "'/f/l'");
	assert_err(host_symlink(f->host, "to", "l", &e), ERR_INPUT, "using 'l'");
	/* Directories above it are made, and told. */
	assert_ok(host_symlink(f->host, "../to", "/a/b/l", &e));
	assert_string_equal(f->record, "mkdir /a/b 0755 root:root\nsymlink /a/b/l -> ../to\n");
	f->record[0] = '\0';
	assert_ok(host_symlink(f->dry, "../to", "/c/d/l", &e));
	assert_string_equal(f->record, "mkdir /c/d 0755 root:root\nsymlink /c/d/l -> ../to\n");
}

static void each_kind_of_file_is_removed_as_it_must_be(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/f", "x", 0644);
	assert_ok(host_mkdir(f->host, "/d", 0755, NULL, &e));
	assert_int_equal(symlink("/f", fixture_path(f, "/l")), 0);
	f->record[0] = '\0';
	assert_ok(host_remove(f->host, "/l", &e));
	assert_string_equal(fixture_get(f, "/f"), "x");
	assert_ok(host_remove(f->host, "/d", &e));
	assert_ok(host_remove(f->host, "/f", &e));
	assert_ok(host_remove(f->host, "/f", &e));
	assert_string_equal(f->record, "remove /l\nremove /d\nremove /f\n");
	assert_int_equal(entries(f->root), 0);
	assert_err(host_remove(f->host, "f", &e), ERR_INPUT, "using 'f'");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_int_equal(e.no, EINVAL);
	fixture_put(f, "/d/f", "x", 0644);
	assert_err(host_remove(f->host, "/d", &e), ERR_HOST, "removing '/d': Directory not empty");
	assert_int_equal(e.no, ENOTEMPTY);
	assert_string_equal(f->record, "");
}

static void attributes_of_what_is_read(void **state)
{
	struct fixture *f = *state;
	struct host_owner o = {.uid = 9, .gid = 9};
	unsigned mode = 0;
	struct err e = {0};

	/* Of none: what a new one would have. */
	assert_ok(host_read_attr(f->host, "/none", &mode, &o, &e));
	assert_int_equal(mode, 0644);
	assert_int_equal(o.uid, 0);
	assert_int_equal(o.gid, 0);
	fixture_put(f, "/f", "x", 0640);
	assert_ok(host_read_attr(f->host, "/f/below", &mode, &o, &e));
	assert_int_equal(mode, 0644);
	assert_int_equal(chown(fixture_path(f, "/f"), 11, 12), 0);
	assert_int_equal(chmod(fixture_path(f, "/f"), 04711), 0);
	/* Through a link, as it is read. */
	assert_int_equal(symlink("f", fixture_path(f, "/l")), 0);
	assert_ok(host_read_attr(f->host, "/l", &mode, &o, &e));
	assert_int_equal(mode, 04711);
	assert_int_equal(o.uid, 11);
	assert_int_equal(o.gid, 12);
	assert_null(o.user);
	assert_err(host_read_attr(f->host, "f", &mode, &o, &e), ERR_INPUT, "using 'f'");
	assert_ok(host_write(f->dry, "/f", BLOB("y"), 0600, NULL, &e));
	assert_ok(host_read_attr(f->dry, "/f", &mode, &o, &e));
	assert_int_equal(mode, 0600);
	assert_int_equal(o.uid, 0);
}

/* As many bytes as the reader takes, and one more. */
static void a_file_at_its_ceiling(void **state)
{
	struct fixture *f = *state;
	struct blob text;
	struct err e = {0};

	fixture_put(f, "/f", "12345", 0644);
	assert_ok(host_write(f->dry, "/new", BLOB("12345"), 0644, NULL, &e));
	assert_ok(host_read(f->host, "/f", 5, f->arena, &text, &e));
	assert_true(blob_eq(text, "12345"));
	assert_ok(host_read(f->dry, "/new", 5, f->arena, &text, &e));
	assert_true(blob_eq(text, "12345"));
	assert_err(host_read(f->host, "/f", 4, f->arena, &text, &e), ERR_INPUT, "4 bytes");
	assert_err(host_read(f->dry, "/new", 4, f->arena, &text, &e), ERR_INPUT,
	           "/new:1:1: file is larger than 4 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, EFBIG);
	assert_err(host_read(f->host, "/none", 4, f->arena, &text, &e), ERR_HOST,
	           "opening '/none'");
	assert_ok(host_remove(f->dry, "/new", &e));
	assert_err(host_read(f->dry, "/new", 9, f->arena, &text, &e), ERR_HOST, "reading '/new'");
	assert_int_equal(e.no, ENOENT);
	assert_ok(host_mkdir(f->dry, "/new", 0755, NULL, &e));
	assert_err(host_read(f->dry, "/new", 9, f->arena, &text, &e), ERR_HOST, "reading '/new'");
	assert_int_equal(e.no, EACCES);
}

static void owners_may_be_numbers(void **state)
{
	const struct host_owner numbers = {.uid = 1500, .gid = 1600};
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	assert_ok(host_write(f->host, "/f", BLOB("x"), 0644, &numbers, &e));
	assert_ok(host_mkdir(f->host, "/d", 0755, &numbers, &e));
	assert_string_equal(f->record, "write /f 0644 1500:1600 1 bytes sha256:2d711642b726b044\n"
	                               "mkdir /d 0755 1500:1600\n");
	assert_int_equal(stat(fixture_path(f, "/f"), &st), 0);
	assert_int_equal(st.st_uid, 1500);
	assert_int_equal(st.st_gid, 1600);
	assert_int_equal(stat(fixture_path(f, "/d"), &st), 0);
	assert_int_equal(st.st_uid, 1500);
	assert_int_equal(st.st_gid, 1600);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("x"), 0644, &numbers, &e), 1);
	assert_int_equal(host_dir_is(f->host, "/d", 0755, &numbers, &e), 1);
	assert_int_equal(host_dir_is(f->host, "/d", 0755, NULL, &e), 0);
}

/* What is no file of its kind is never opened for its content: a pipe would never end. */
static void other_kinds_of_files_are_no_files(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(mkfifo(fixture_path(f, "/pipe"), 0644), 0);
	assert_int_equal(symlink("/f", fixture_path(f, "/l")), 0);
	assert_ok(host_mkdir(f->host, "/d", 0644, NULL, &e));
	fixture_put(f, "/f", "", 0644);
	assert_int_equal(host_file_is(f->host, "/pipe", BLOB(""), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/l", BLOB(""), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/d", BLOB(""), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/f/x", BLOB(""), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/f", BLOB(""), 0644, NULL, &e), 1);
	assert_err(host_file_is(f->host, "f", BLOB(""), 0644, NULL, &e), ERR_INPUT, "using 'f'");
	assert_ok(host_write(f->host, "/pipe", BLOB("now"), 0644, NULL, &e));
	assert_string_equal(fixture_get(f, "/pipe"), "now");
}

/* Compared in pieces of 16 KiB. */
static void a_difference_anywhere_is_one(void **state)
{
	static const size_t at[] = {0, 16383, 16384, 32767, 32768, 40000};
	static char text[40002];
	struct fixture *f = *state;
	struct err e = {0};

	memset(text, 'x', 40001);
	fixture_put(f, "/f", text, 0644);
	assert_int_equal(host_file_is(f->host, "/f", BLOB(text), 0644, NULL, &e), 1);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		text[at[i]] = 'y';
		if (host_file_is(f->host, "/f", BLOB(text), 0644, NULL, &e) != 0)
			fail_msg("the same in spite of byte %zu", at[i]);
		text[at[i]] = 'x';
	}
	errno = EINTR; /* of something before: the end of the file is its end all the same */
	assert_int_equal(host_file_is(f->host, "/f", BLOB(text), 0644, NULL, &e), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(whether_a_link_is_so),
	        FIXTURE_TEST(what_is_left_of_an_earlier_run_is_no_obstacle),
	        FIXTURE_TEST(a_link_takes_no_directorys_place),
	        FIXTURE_TEST(each_kind_of_file_is_removed_as_it_must_be),
	        FIXTURE_TEST(attributes_of_what_is_read),
	        FIXTURE_TEST(a_file_at_its_ceiling),
	        FIXTURE_TEST(owners_may_be_numbers),
	        FIXTURE_TEST(other_kinds_of_files_are_no_files),
	        FIXTURE_TEST(a_difference_anywhere_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
