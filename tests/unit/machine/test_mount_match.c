/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/mount_match. */
#include "unit.h"

#include "base/clock.h"
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

static void names_are_asked(void **state)
{
	(void)state;
	assert_true(mount_name_has("localhost", "127.0.0.1", clock_in_ms(10000)));
	assert_false(mount_name_has("localhost", "127.0.0.2", clock_in_ms(10000)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(exports_are_compared_by_server_and_path),
	        cmocka_unit_test(local_ones_by_type_and_source),
	        cmocka_unit_test(efs_is_known_by_its_proxy),
	        cmocka_unit_test(sources_are_told_apart),
	        cmocka_unit_test(names_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
