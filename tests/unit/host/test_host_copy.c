/* SPDX-License-Identifier: Apache-2.0 */
/* Files copied into a host: content, holes, what is already there, and what a dry run knows then. */
#include "host_test.h"

#include <errno.h>

#define MIB (1 << 20)

static int from = AT_FDCWD;

static int copy(struct fixture *f, struct host *h, const char *path, const char *name,
                unsigned mode, struct err *e)
{
	f->record[0] = '\0';
	return host_copy(h, path, from, fixture_path(f, name), mode, NULL, e);
}

static void it_is_copied_once(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	fixture_put(f, "/from", "hello", 0600);
	assert_ok(copy(f, f->host, "/a/to", "/from", 0640, &e));
	assert_string_equal(f->record,
	                    "mkdir /a 0755 root:root\n"
	                    "write /a/to 0640 root:root 5 bytes sha256:2cf24dba5fb0a30e\n");
	assert_string_equal(fixture_get(f, "/a/to"), "hello");
	assert_int_equal(stat(fixture_path(f, "/a/to"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_ok(copy(f, f->host, "/a/to", "/from", 0640, &e));
	assert_string_equal(f->record, "");
	assert_ok(copy(f, f->host, "/a/to", "/from", 0644, &e));
	assert_non_null(strstr(f->record, "write /a/to 0644"));
	fixture_put(f, "/from", "hullo", 0600); /* as long as before */
	assert_ok(copy(f, f->host, "/a/to", "/from", 0644, &e));
	assert_string_equal(fixture_get(f, "/a/to"), "hullo");
	assert_ok(copy(f, f->host, "/a/to", "/from", 0644, &e));
	assert_string_equal(f->record, "");
}

/* A piece is 128 KiB. */
static void any_size_and_its_holes(void **state)
{
	static char text[(128 << 10) + 1];
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};
	int fd;

	memset(text, 'x', sizeof text - 1);
	fixture_put(f, "/from", text, 0600);
	assert_ok(copy(f, f->host, "/to", "/from", 0644, &e));
	assert_int_equal(stat(fixture_path(f, "/to"), &st), 0);
	assert_int_equal(st.st_size, 128 << 10);
	fd = open(fixture_path(f, "/from"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 64L * MIB), 0);
	assert_int_equal(pwrite(fd, "middle", 6, 32L * MIB), 6);
	assert_ok(copy(f, f->host, "/to", "/from", 0644, &e));
	assert_int_equal(stat(fixture_path(f, "/to"), &st), 0);
	assert_int_equal(st.st_size, 64L * MIB);
	assert_true(st.st_blocks * 512 < MIB);
	assert_ok(copy(f, f->host, "/to", "/from", 0644, &e));
	assert_string_equal(f->record, ""); /* the same to the last byte */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_ok(copy(f, f->host, "/to", "/from", 0644, &e));
	assert_string_equal(fixture_get(f, "/to"), "");
	close(fd);
}

static void a_dry_run_knows_the_digest_alone(void **state)
{
	struct fixture *f = *state;
	struct blob text;
	struct stat st;
	struct err e = {0};

	fixture_put(f, "/from", "hello", 0600);
	assert_ok(copy(f, f->dry, "/to", "/from", 0640, &e));
	assert_string_equal(f->record,
	                    "write /to 0640 root:root 5 bytes sha256:2cf24dba5fb0a30e\n");
	assert_int_equal(access(fixture_path(f, "/to"), F_OK), -1);
	assert_ok(host_stat(f->dry, "/to", &st, &e));
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_size, 5);
	assert_ok(copy(f, f->dry, "/to", "/from", 0640, &e));
	assert_string_equal(f->record, "");
	assert_int_equal(host_file_is(f->dry, "/to", BLOB("hello"), 0640, NULL, &e), 1);
	assert_int_equal(host_file_is(f->dry, "/to", BLOB("hullo"), 0640, NULL, &e), 0);
	assert_err(host_read(f->dry, "/to", 100, f->arena, &text, &e), ERR_HOST, "reading '/to'");
	assert_int_equal(e.no, EACCES);
	assert_ok(copy(f, f->dry, "/to", "/from", 0600, &e));
	assert_non_null(strstr(f->record, "write /to 0600"));
	fixture_put(f, "/from", "hullo", 0600);
	assert_ok(copy(f, f->dry, "/to", "/from", 0600, &e));
	assert_non_null(strstr(f->record, "write /to 0600"));
}

static void what_cannot_be_copied_is_named(void **state)
{
	const struct host_owner nobody = {"hpc-nobody", NULL};
	struct fixture *f = *state;
	struct err e = {0};

	assert_err(copy(f, f->host, "/to", "/none", 0644, &e), ERR_HOST, "/none'");
	assert_int_equal(e.no, ENOENT);
	assert_err(copy(f, f->host, "to", "/none", 0644, &e), ERR_INPUT, "using 'to'");
	fixture_put(f, "/from", "x", 0600);
	assert_err(host_copy(f->host, "/to", from, fixture_path(f, "/from"), 0644, &nobody, &e),
	           ERR_HOST, "'hpc-nobody'");
	assert_ok(host_mkdir(f->host, "/dir/x", 0755, NULL, &e));
	assert_err(copy(f, f->host, "/dir", "/from", 0644, &e), ERR_HOST, "dir'");
	assert_err(copy(f, f->host, "/from/to", "/from", 0644, &e), ERR_HOST, "/from'");
	assert_string_equal(f->record, "");
}

static void a_full_disk_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	unit_need_root();
	assert_ok(host_mkdir(f->host, "/small", 0755, NULL, &e));
	assert_int_equal(mount("none", fixture_path(f, "/small"), "tmpfs", 0, "size=4k"), 0);
	static char text[16 << 10];
	memset(text, 'x', sizeof text - 1);
	fixture_put(f, "/from", text, 0600);
	int r = copy(f, f->host, "/small/to", "/from", 0644, &e);
	assert_int_equal(access(fixture_path(f, "/small/to"), F_OK), -1);
	assert_int_equal(umount2(fixture_path(f, "/small"), MNT_DETACH), 0);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(e.text, "writing '/small/to'"));
	assert_string_equal(f->record, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(it_is_copied_once),
	        FIXTURE_TEST(any_size_and_its_holes),
	        FIXTURE_TEST(a_dry_run_knows_the_digest_alone),
	        FIXTURE_TEST(what_cannot_be_copied_is_named),
	        FIXTURE_TEST(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
