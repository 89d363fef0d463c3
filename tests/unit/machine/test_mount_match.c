/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/mount_match and mount_table. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "machine/mount_own.h"

#define V4 "rw,vers=4.2,addr=10.0.0.1"

static void exports_are_compared_by_server_and_path(void **state)
{
	static const struct {
		const char *want, *have, *options;
		enum mount_match match;
	} cases[] = {
	        {"10.0.0.1:/home", "10.0.0.1:/home", V4, MOUNT_SAME},
	        {"10.0.0.1:/home///", "10.0.0.1:/home", V4, MOUNT_SAME},
	        {"10.0.0.1:/", "10.0.0.1:", V4, MOUNT_SAME},
	        {"10.0.0.1:/home", "10.0.0.1:/home2", V4, MOUNT_OTHER},
	        {"10.0.0.1:/home", "10.0.0.2:/home", "rw,addr=10.0.0.2", MOUNT_OTHER},
	        {"Head:/home", "head:/home", V4, MOUNT_SAME},
	        {"10.0.0.1:/home", "head:/home", V4, MOUNT_SAME},
	        {"10.0.0.9:/home", "head:/home", V4, MOUNT_OTHER},
	        {"head:/home", "10.0.0.1:/home", V4, MOUNT_ASK_NAME},
	        {"head:/home", "other:/home", "rw", MOUNT_OTHER},
	        {"[fd00::1]:/a", "[fd00:0::1]:/a", "rw,addr=fd00::1", MOUNT_SAME},
	        {"[fd00::1]:/a", "head:/a", "rw,addr=fd00::1", MOUNT_SAME},
	        {"head:/a", "tmpfs", "rw", MOUNT_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mount_want w = {.source = cases[i].want, .fstype = "nfs"};
		struct host_mounted_fs fs = {
		        .source = cases[i].have, .fstype = "nfs4", .options = cases[i].options};

		if (mount_match(&w, &fs) != cases[i].match)
			fail_msg("%s against %s", cases[i].want, cases[i].have);
	}
}

static void local_ones_by_type_and_source(void **state)
{
	struct host_mounted_fs tmpfs = {
	        .source = "tmpfs", .fstype = "tmpfs", .root = "/", .dev = 3};
	struct mount_want same = {.source = "tmpfs", .fstype = "tmpfs"};
	struct mount_want type = {.source = "tmpfs", .fstype = "ext4"};
	struct mount_want disk = {.source = "/dev/disk/by-id/x", .fstype = "tmpfs", .dev = 3};
	struct mount_want bind = {.source = "/a", .bind = true, .root = "/", .dev = 3};
	struct mount_want part = {.source = "/a", .bind = true, .root = "/a", .dev = 3};

	(void)state;
	assert_int_equal(mount_match(&same, &tmpfs), MOUNT_SAME);
	assert_int_equal(mount_match(&type, &tmpfs), MOUNT_OTHER);
	assert_int_equal(mount_match(&disk, &tmpfs), MOUNT_SAME);
	assert_int_equal(mount_match(&bind, &tmpfs), MOUNT_SAME);
	assert_int_equal(mount_match(&part, &tmpfs), MOUNT_OTHER);
}

/* As mount.efs leaves it: its proxy's address, the path it was asked for. */
static void efs_is_known_by_its_proxy(void **state)
{
	struct mount_want w = {.source = "fs-0123:/project/", .fstype = "efs"};
	struct host_mounted_fs proxied = {.source = "127.0.0.1:/project",
	                                  .fstype = "nfs4",
	                                  .options = "rw,port=20449,addr=127.0.0.1"};
	struct host_mounted_fs other = {
	        .source = "127.0.0.1:/", .fstype = "nfs4", .options = "rw,addr=127.0.0.1"};
	struct host_mounted_fs direct = {
	        .source = "10.0.0.1:/project", .fstype = "nfs4", .options = V4};

	(void)state;
	assert_int_equal(mount_match(&w, &proxied), MOUNT_SAME);
	assert_int_equal(mount_match(&w, &other), MOUNT_OTHER);
	assert_int_equal(mount_match(&w, &direct), MOUNT_OTHER);
}

static void sources_are_told_apart(void **state)
{
	char host[256], value[8];

	(void)state;
	assert_true(mount_server("[fd00::1]:/a", host));
	assert_string_equal(host, "fd00::1");
	assert_true(mount_server("fs-1.efs.eu-west-1.amazonaws.com:/", host));
	assert_false(mount_server("/dev/x:y", host));
	assert_false(mount_server("tmpfs", host));
	assert_true(mount_is_network("fs-1", "efs"));
	assert_false(mount_is_network("/dev/nvme1n1", "xfs"));
	assert_true(mount_has_option("rw,bind", "bind"));
	assert_false(mount_has_option("rbind,bindx", "bind"));
	assert_false(mount_has_option(NULL, "bind"));
	assert_true(mount_option("a=1,addr=10,b", "addr", value, sizeof value));
	assert_string_equal(value, "10");
	assert_false(mount_option("clientaddr=1,addr", "addr", value, sizeof value));
	assert_false(mount_option("addr=12345678", "addr", value, sizeof value));
}

/* "HOST:/PATH" of so many bytes each. */
static const char *source_of(char *out, size_t host, size_t path, const char *end)
{
	memset(out, 'a', host + 1 + path);
	memcpy(out + host, ":/", 2);
	snprintf(out + host + 1 + path, 8, "%s", end);
	return out;
}

static void a_source_has_its_limits(void **state)
{
	char one[2048], two[2048], host[256];
	struct mount_want w = {.source = one, .fstype = "nfs"};
	struct host_mounted_fs fs = {.source = two, .fstype = "nfs4", .options = ""};

	(void)state;
	assert_true(mount_server(source_of(one, 255, 8, ""), host));
	assert_int_equal(strlen(host), 255);
	assert_false(mount_server(source_of(one, 256, 8, ""), host));
	source_of(one, 4, 1023, "/");
	assert_int_equal(mount_match(&w, (source_of(two, 4, 1023, ""), &fs)), MOUNT_SAME);
	two[4 + 1023] = 'b';
	assert_int_equal(mount_match(&w, &fs), MOUNT_OTHER);
	/* Beyond that it is no export, and the types differ. */
	source_of(one, 4, 1024, "");
	source_of(two, 4, 1024, "");
	assert_int_equal(mount_match(&w, &fs), MOUNT_OTHER);
	assert_false(mount_server(one, host));
	assert_true(mount_server(source_of(one, 4, 1023, ""), host));
	assert_false(mount_server("[fd00::1/a", host));
	assert_false(mount_server("[fd00::1]/a", host));
	assert_false(mount_server(":/a", host));
	assert_false(mount_server("[]:/a", host));
}

static void network_types_need_no_server(void **state)
{
	static const char *const types[] = {"nfs", "nfs4", "efs", "lustre", "cifs", "smb3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!mount_is_network("x", types[i]))
			fail_msg("%s", types[i]);
	assert_true(mount_is_network("srv:/x", "none"));
	assert_false(mount_is_network("x", "nfs3"));
	/* A device is looked up, whatever type it is asked for; an export is none. */
	struct mount_want w = {.source = "fs-1", .fstype = "efs"};
	struct host_mounted_fs fs = {.source = "fs-1", .fstype = "efs", .options = ""};
	assert_int_equal(mount_match(&w, &fs), MOUNT_SAME);
	fs.source = "fs-2";
	assert_int_equal(mount_match(&w, &fs), MOUNT_OTHER);
}

static void a_device_is_its_number(void **state)
{
	struct mount_want w = {.source = "/dev/x", .fstype = "ext4", .dev = 3};
	struct mount_want bind = {.source = "/a", .bind = true, .root = "/", .dev = 3};
	struct host_mounted_fs fs = {.source = "/dev/x", .fstype = "ext4", .root = "/", .dev = 4};

	(void)state;
	assert_int_equal(mount_match(&w, &fs), MOUNT_OTHER);
	assert_int_equal(mount_match(&bind, &fs), MOUNT_OTHER);
	w.dev = 0; /* none that can be found: the words decide */
	assert_int_equal(mount_match(&w, &fs), MOUNT_SAME);
	fs.source = "/dev/y";
	assert_int_equal(mount_match(&w, &fs), MOUNT_OTHER);
}

static void options_are_taken_whole(void **state)
{
	char value[4] = "";

	(void)state;
	assert_true(mount_has_option("bind", "bind"));
	assert_true(mount_has_option("bind,rw", "bind"));
	assert_false(mount_has_option("", "bind"));
	assert_false(mount_has_option("bin,nd", "bind"));
	assert_true(mount_option("a=123", "a", value, sizeof value));
	assert_string_equal(value, "123");
	assert_false(mount_option("a=1234", "a", value, sizeof value));
	assert_true(mount_option("a=", "a", value, sizeof value));
	assert_string_equal(value, "");
	assert_false(mount_option("ab=1,b", "a", value, sizeof value));
	assert_false(mount_option("a", "a", value, sizeof value));
	assert_false(mount_option(NULL, "a", value, sizeof value));
}

/* ---- mount_table.c ---- */

static void a_path_lies_in_the_nearest_and_newest(void **state)
{
	struct mount_line lines[] = {
	        {"/", {.source = "root"}},     {"/a", {.source = "old"}},
	        {"/a/b", {.source = "below"}}, {"/a", {.source = "new"}},
	        {"/c", {.source = "other"}},
	};
	struct mount_table t = {ARRAY_LEN(lines), lines};
	scope_arena struct arena *a = arena_new();
	struct host_mounted there;

	(void)state;
	assert_ptr_equal(mount_table_around(&t, "/x"), &lines[0]);
	assert_ptr_equal(mount_table_around(&t, "/ab"), &lines[0]);
	assert_ptr_equal(mount_table_around(&t, "/a"), &lines[3]);
	assert_ptr_equal(mount_table_around(&t, "/a/x"), &lines[3]);
	assert_ptr_equal(mount_table_around(&t, "/a/b/c"), &lines[2]);
	t.n = 0;
	assert_null(mount_table_around(&t, "/a"));
	t.n = ARRAY_LEN(lines);
	mount_table_at(&t, "/a", a, &there);
	assert_int_equal(there.n, 2);
	assert_string_equal(there.items[0].source, "new");
	assert_string_equal(there.items[1].source, "old");
	mount_table_at(&t, "/", a, &there);
	assert_int_equal(there.n, 1);
	mount_table_at(&t, "/nothing", a, &there);
	assert_int_equal(there.n, 0);
}

static void the_machines_own_is_read(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct mount_table t = {0};
	struct host_mounted there;
	struct stat st;
	struct err e = {0};

	(void)state;
	assert_ok(mount_table_read(a, &t, &e));
	assert_int_equal(stat("/proc", &st), 0);
	mount_table_at(&t, "/proc", a, &there);
	assert_true(there.n >= 1);
	assert_string_equal(there.items[0].fstype, "proc");
	assert_string_equal(there.items[0].source, "proc");
	assert_string_equal(there.items[0].root, "/");
	assert_int_equal(there.items[0].dev, st.st_dev);
	assert_true(mount_has_option(there.items[0].options, "rw") ||
	            mount_has_option(there.items[0].options, "ro"));
}

/* A machine whose mounts can't be told has not none. */
static void without_proc_it_is_an_error(void **state)
{
	char empty[] = "/tmp/unit-mounts-XXXXXX";
	struct err e = {0};
	int status;

	(void)state;
	unit_need_root();
	assert_non_null(mkdtemp(empty));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		scope_arena struct arena *a = arena_new();
		struct mount_table t = {.n = 77};

		if (chroot(empty) < 0)
			_exit(1);
		assert_err(mount_table_read(a, &t, &e), ERR_HOST, "reading /proc/self/mountinfo");
		assert_int_equal(e.no, ENOENT);
		assert_int_equal(t.n, 77);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(empty), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(exports_are_compared_by_server_and_path),
	        cmocka_unit_test(local_ones_by_type_and_source),
	        cmocka_unit_test(efs_is_known_by_its_proxy),
	        cmocka_unit_test(sources_are_told_apart),
	        cmocka_unit_test(a_source_has_its_limits),
	        cmocka_unit_test(network_types_need_no_server),
	        cmocka_unit_test(a_device_is_its_number),
	        cmocka_unit_test(options_are_taken_whole),
	        cmocka_unit_test(a_path_lies_in_the_nearest_and_newest),
	        cmocka_unit_test(the_machines_own_is_read),
	        cmocka_unit_test(without_proc_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
