/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of host/host_file. */
#include "host_test.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "base/scope.h"

#define CGROUP_LINE "write /etc/slurm/cgroup.conf 0644 root:root 6 bytes sha256:"

static void writes_once_and_records_it(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct stat st, again;
	const char *path = fixture_path(f, "/etc/slurm/cgroup.conf");

	umask(077);
	assert_ok(host_write(f->host, "/etc/slurm/cgroup.conf", BLOB("x=yes\n"), 0644, NULL, &e));
	umask(022);
	assert_string_equal(f->record,
	                    "mkdir /etc/slurm 0755 root:root\n" CGROUP_LINE "bd5afe6cbbc61b00\n");
	assert_int_equal(stat(fixture_path(f, "/etc"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	f->record[0] = '\0';
	assert_ok(host_write(f->host, "//etc//slurm/cgroup.conf", BLOB("x=yes\n"), 0644, NULL, &e));
	assert_string_equal(f->record, "");
	assert_int_equal(stat(path, &again), 0);
	assert_int_equal(st.st_ino, again.st_ino);
	assert_int_equal(entries(fixture_path(f, "/etc/slurm")), 1);
}

/* Whoever takes absence as an answer must not take a failure for it. */
static void absence_is_told_from_a_failure(void **state)
{
	struct fixture *f = *state;
	char endless[NAME_MAX + 8] = "/etc/";
	struct err e = {0};

	fixture_put(f, "/etc/there", "x", 0644);
	assert_int_equal(host_lookup(f->host, "/etc/there", &e), 1);
	assert_int_equal(host_lookup(f->host, "/etc/not", &e), 0);
	assert_int_equal(host_lookup(f->host, "/etc/there/below", &e), 0);
	assert_ok(host_remove(f->dry, "/etc/there", &e));
	assert_int_equal(host_lookup(f->dry, "/etc/there", &e), 0);
	memset(endless + strlen(endless), 'n', NAME_MAX + 1);
	assert_int_equal(host_lookup(f->host, endless, &e), -ENAMETOOLONG);
	assert_non_null(strstr(e.text, "looking for '/etc/nn"));
	assert_false(host_exists(f->host, endless));
}

static void a_dry_run_records_the_same_and_writes_nothing(void **state)
{
	struct fixture *f = *state;
	char live[sizeof f->record];
	struct host_owner nobody_yet = {"munge", "munge"};
	struct blob got;
	struct err e = {0};

	assert_ok(host_write(f->dry, "/etc/a/b", BLOB("one"), 0600, NULL, &e));
	assert_ok(host_write(f->dry, "/etc/c", BLOB("two"), 0600, NULL, &e));
	assert_ok(host_symlink(f->dry, "/etc/c", "/etc/link", &e));
	assert_ok(host_mkdir(f->dry, "/var/spool/s", 0700, NULL, &e));
	assert_ok(host_remove(f->dry, "/etc/a/b", &e));
	assert_false(host_exists(f->dry, "/etc/a/b"));
	memcpy(live, f->record, sizeof live);
	f->record[0] = '\0';
	assert_int_equal(entries(f->root), 0);

	assert_ok(host_write(f->host, "/etc/a/b", BLOB("one"), 0600, NULL, &e));
	assert_ok(host_write(f->host, "/etc/c", BLOB("two"), 0600, NULL, &e));
	assert_ok(host_symlink(f->host, "/etc/c", "/etc/link", &e));
	assert_ok(host_mkdir(f->host, "/var/spool/s", 0700, NULL, &e));
	assert_ok(host_remove(f->host, "/etc/a/b", &e));
	assert_string_equal(f->record, live);

	f->record[0] = '\0';
	assert_int_equal(host_file_is(f->dry, "/etc/c", BLOB("two"), 0600, NULL, &e), 1);
	assert_int_equal(host_file_is(f->dry, "/etc/c", BLOB("twe"), 0600, NULL, &e), 0);
	assert_ok(host_read(f->dry, "/etc/c", 100, f->arena, &got, &e));
	assert_true(blob_eq(got, "two"));
	assert_ok(host_write(f->dry, "/etc/c", BLOB("two"), 0600, NULL, &e));
	assert_string_equal(f->record, "");
	/* The user an earlier step would make. */
	assert_ok(host_write_secret(f->dry, "/etc/k", BLOB("key"), 0400, &nobody_yet, &e));
	assert_string_equal(f->record, "write /etc/k 0400 munge:munge secret\n");
	assert_int_equal(host_file_is(f->dry, "/etc/k", BLOB("key"), 0400, &nobody_yet, &e), 1);
	assert_err(host_read(f->dry, "/etc/k", 100, f->arena, &got, &e), ERR_HOST, "/etc/k");
}

static void replaces_on_any_difference(void **state)
{
	struct fixture *f = *state;
	struct host_owner daemon = {"daemon", "games"};
	struct stat st;
	struct err e = {0};

	fixture_put(f, "/etc/passwd", "daemon:x:11:12::/:/bin/sh\n", 0644);
	fixture_put(f, "/etc/group", "games:x:60:\n", 0644);
	fixture_put(f, "/f", "same", 0644);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("same"), 0644, NULL, &e), 1);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("same"), 0600, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("same"), 0644, &daemon, &e), 0);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("diff"), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/f", BLOB("same1"), 0644, NULL, &e), 0);
	assert_int_equal(host_file_is(f->host, "/none/f", BLOB(""), 0644, NULL, &e), 0);

	assert_ok(host_write_secret(f->host, "/f", BLOB("same"), 0400, &daemon, &e));
	assert_string_equal(f->record, "write /f 0400 daemon:games secret\n");
	assert_int_equal(stat(fixture_path(f, "/f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_uid, 11);
	assert_int_equal(st.st_gid, 60);
}

static void a_missing_owner_is_named(void **state)
{
	struct fixture *f = *state;
	struct host_owner nobody = {"nosuch", NULL}, group = {NULL, "nogroup-here"};
	struct err e = {0};

	assert_err(host_write(f->host, "/f", BLOB("x"), 0644, &nobody, &e), ERR_HOST, "'nosuch'");
	assert_int_equal(e.reason, REASON_HOST_USER);
	assert_err(host_mkdir(f->host, "/d", 0755, &group, &e), ERR_HOST, "'nogroup-here'");
	assert_int_equal(host_file_is(f->host, "/f", BLOB("x"), 0644, &nobody, &e), 0);
	assert_string_equal(f->record, "");
	assert_int_equal(entries(f->root), 0);
}

static void links_stay_inside_the_root(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	assert_int_equal(mkdir(fixture_path(f, "/real"), 0755), 0);
	assert_int_equal(symlink("/real", fixture_path(f, "/up")), 0);
	assert_int_equal(symlink("../../../../../tmp", fixture_path(f, "/out")), 0);
	assert_ok(host_write(f->host, "/up/file", BLOB("x"), 0644, NULL, &e));
	assert_string_equal(fixture_get(f, "/real/file"), "x");
	assert_err(host_write(f->host, "/out/file", BLOB("x"), 0644, NULL, &e), ERR_HOST, "/out");

	/* A link in the file's own place is replaced, not followed. */
	assert_int_equal(symlink("/real/file", fixture_path(f, "/l")), 0);
	assert_ok(host_stat(f->host, "/l", &st, &e));
	assert_true(S_ISLNK(st.st_mode));
	assert_ok(host_write(f->host, "/l", BLOB("y"), 0644, NULL, &e));
	assert_string_equal(fixture_get(f, "/real/file"), "x");
	assert_string_equal(fixture_get(f, "/l"), "y");
}

static void symlinks_replace_and_hold(void **state)
{
	struct fixture *f = *state;
	char target[64] = "";
	struct err e = {0};

	fixture_put(f, "/etc/localtime", "file", 0644);
	assert_ok(host_symlink(f->host, "/usr/share/zoneinfo/UTC", "/etc/localtime", &e));
	assert_ok(host_symlink(f->host, "/usr/share/zoneinfo/UTC", "/etc/localtime", &e));
	assert_string_equal(f->record, "symlink /etc/localtime -> /usr/share/zoneinfo/UTC\n");
	assert_int_equal(readlink(fixture_path(f, "/etc/localtime"), target, sizeof target - 1),
	                 23);
	assert_string_equal(target, "/usr/share/zoneinfo/UTC");
	assert_int_equal(entries(fixture_path(f, "/etc")), 1);
}

static void directories_get_mode_and_owner(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/var/spool/slurmd/", 0750, NULL, &e));
	assert_ok(host_mkdir(f->host, "/var/spool/slurmd", 0750, NULL, &e));
	assert_ok(host_mkdir(f->host, "/var/spool/slurmd", 0755, NULL, &e));
	assert_string_equal(f->record, "mkdir /var/spool 0755 root:root\n"
	                               "mkdir /var/spool/slurmd 0750 root:root\n"
	                               "chmod /var/spool/slurmd 0755 root:root\n");
	assert_int_equal(stat(fixture_path(f, "/var/spool/slurmd"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	fixture_put(f, "/var/file", "", 0644);
	assert_err(host_mkdir(f->host, "/var/file", 0755, NULL, &e), ERR_HOST, "/var/file");
}

static void a_file_where_a_directory_should_be(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/file", "text", 0644);
	assert_err(host_mkdir(f->host, "/file", 0755, NULL, &e), ERR_HOST,
	           "creating the directory '/file': Not a directory");
	assert_err(host_mkdir(f->host, "/file/below", 0755, NULL, &e), ERR_HOST, "'/file/below'");
	assert_err(host_mkdir(f->dry, "/file", 0755, NULL, &e), ERR_HOST,
	           "creating the directory '/file': Not a directory");
	assert_string_equal(fixture_get(f, "/file"), "text");
	assert_string_equal(f->record, "");
}

static void removes_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/d/f", "x", 0644);
	assert_ok(host_remove(f->host, "/d/none", &e));
	assert_ok(host_remove(f->host, "/d/f/none", &e));
	assert_err(host_remove(f->host, "/d", &e), ERR_HOST, "not empty");
	assert_ok(host_remove(f->host, "/d/f", &e));
	assert_ok(host_remove(f->host, "/d", &e));
	assert_string_equal(f->record, "remove /d/f\nremove /d\n");
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	struct fixture *f = *state;
	static char big[1 << 20];
	struct err e = {0};

	assert_int_equal(mkdir(fixture_path(f, "/small"), 0755), 0);
	assert_int_equal(mount("none", fixture_path(f, "/small"), "tmpfs", 0, "size=64k"), 0);
	fixture_put(f, "/small/f", "old", 0644);
	memset(big, 'x', sizeof big);
	assert_err(host_write(f->host, "/small/f", (struct blob){big, sizeof big}, 0644, NULL, &e),
	           ERR_HOST, "No space");
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	assert_string_equal(f->record, "");
	assert_string_equal(fixture_get(f, "/small/f"), "old");
	assert_int_equal(entries(fixture_path(f, "/small")), 1);
	assert_int_equal(umount(fixture_path(f, "/small")), 0);
}

static void a_directory_that_cannot_be_made_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(mkdir(fixture_path(f, "/small"), 0755), 0);
	assert_int_equal(mount("none", fixture_path(f, "/small"), "tmpfs", 0, "nr_inodes=1"), 0);
	int r = host_mkdir(f->host, "/small/d", 0755, NULL, &e);
	int deep = host_mkdir(f->host, "/small/a/b", 0755, NULL, &e);
	assert_int_equal(umount(fixture_path(f, "/small")), 0);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(deep, -ENOSPC);
	assert_string_equal(f->record, "");
}

static void whether_a_directory_is_so(void **state)
{
	const struct host_owner nobody = {"hpc-nobody", NULL};
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/d", 0750, NULL, &e));
	assert_int_equal(host_dir_is(f->host, "/d", 0750, NULL, &e), 1);
	assert_int_equal(host_dir_is(f->host, "/d/", 0750, NULL, &e), 1);
	assert_int_equal(host_dir_is(f->host, "/d", 0755, NULL, &e), 0);
	assert_int_equal(host_dir_is(f->host, "/none", 0750, NULL, &e), 0);
	assert_int_equal(host_dir_is(f->host, "/d", 0750, &nobody, &e), 0);
	fixture_put(f, "/f", "", 0750);
	assert_int_equal(host_dir_is(f->host, "/f", 0750, NULL, &e), 0);
	assert_err(host_dir_is(f->host, "/f/x", 0750, NULL, &e), ERR_HOST, "looking at '/f/x'");
	assert_err(host_dir_is(f->host, "d", 0750, NULL, &e), ERR_INPUT, "using 'd'");
	assert_ok(host_mkdir(f->dry, "/new", 0700, NULL, &e));
	assert_int_equal(host_dir_is(f->dry, "/new", 0700, NULL, &e), 1);
	assert_int_equal(host_dir_is(f->host, "/new", 0700, NULL, &e), 0);
}

static void names_the_path_it_refuses(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	assert_err(host_write(f->host, "etc/x", BLOB(""), 0644, NULL, &e), ERR_INPUT, "'etc/x'");
	assert_err(host_stat(f->host, "/none", &st, &e), ERR_HOST, "'/none'");
	assert_int_equal(e.no, ENOENT);
	struct host *h = NULL;
	assert_err(host_open("/no/such/root", HOST_LIVE, &h, &e), ERR_HOST, "/no/such/root");
	assert_null(h);
}

int main(void)
{
	/* The full disk is a tmpfs of ours that nobody else sees. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 99;
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(writes_once_and_records_it),
	        FIXTURE_TEST(absence_is_told_from_a_failure),
	        FIXTURE_TEST(a_dry_run_records_the_same_and_writes_nothing),
	        FIXTURE_TEST(replaces_on_any_difference),
	        FIXTURE_TEST(a_missing_owner_is_named),
	        FIXTURE_TEST(links_stay_inside_the_root),
	        FIXTURE_TEST(symlinks_replace_and_hold),
	        FIXTURE_TEST(directories_get_mode_and_owner),
	        FIXTURE_TEST(a_file_where_a_directory_should_be),
	        FIXTURE_TEST(removes_what_is_there),
	        FIXTURE_TEST(a_full_disk_leaves_the_old_file),
	        FIXTURE_TEST(a_directory_that_cannot_be_made_is_told),
	        FIXTURE_TEST(whether_a_directory_is_so),
	        FIXTURE_TEST(names_the_path_it_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
