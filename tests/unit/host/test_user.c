/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of host/user. */
#include "host_test.h"

#include <errno.h>

static void this_machines_users_come_from_nss(void **state)
{
	struct fixture *f = *state;
	struct host *self;
	struct host_user u = {0};
	gid_t gid = 0;
	struct err e = {0};

	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	assert_ok(host_user(self, "daemon", f->arena, &u, &e));
	assert_int_equal(u.uid, 1);
	assert_int_equal(u.n_groups, 1);
	assert_ok(host_group(self, "daemon", &gid, &e));
	assert_int_equal(gid, 1);
	assert_int_equal(host_user(self, "hpc-nobody", f->arena, &u, &e), -ENOENT);
	assert_int_equal(host_group(self, "hpc-nobody", &gid, &e), -ENOENT);
	assert_int_equal(e.reason, REASON_HOST_USER);
	host_close(self);
}

static void an_images_users_come_from_its_files(void **state)
{
	struct fixture *f = *state;
	struct host_owner slurm = {"slurm", "slurm"}, nobody = {0};
	struct host_user u = {0};
	uid_t uid = 1;
	gid_t gid = 1;
	struct err e = {0};

	/* No passwd at all: root is 0 nevertheless, and nobody else is there. */
	assert_ok(host_owner_ids(f->host, &nobody, &uid, &gid, &e));
	assert_ok(host_owner_ids(f->host, NULL, &uid, &gid, &e));
	assert_int_equal(uid + gid, 0);
	assert_int_equal(host_user(f->host, "daemon", f->arena, &u, &e), -ENOENT);

	fixture_put(
	        f, "/etc/passwd",
	        "root:x:0:0:root:/root:/bin/sh\nbroken line\n\nslurm:x:401:402:Slurm,,,:/var/lib/"
	        "slurm:/usr/sbin/nologin\n",
	        0644);
	fixture_put(f, "/etc/group",
	            "root:x:0:\nslurm:x:402:\nvideo:x:44:x,slurm\nno:x:45:xslurm\n", 0644);
	assert_ok(host_user(f->host, "slurm", f->arena, &u, &e));
	assert_string_equal(u.home, "/var/lib/slurm");
	assert_string_equal(u.shell, "/usr/sbin/nologin");
	assert_int_equal(u.n_groups, 2);
	assert_int_equal(u.groups[0], 402);
	assert_int_equal(u.groups[1], 44);
	assert_ok(host_owner_ids(f->host, &slurm, &uid, &gid, &e));
	assert_int_equal(uid, 401);
	assert_int_equal(gid, 402);
	assert_err(host_user(f->host, "munge", f->arena, &u, &e), ERR_HOST,
	           "'munge': no such user");
}

/* The first group is the user's own, and those that name the user follow, 256 in all. */
static void as_many_groups_as_there_may_be(void **state)
{
	struct fixture *f = *state;
	struct strbuf groups = STRBUF(f->arena, 1 << 16);
	struct host_user u = {0};
	struct err e = {0};

	fixture_put(f, "/etc/passwd", "u:x:9:10::/:/bin/sh\n", 0644);
	strbuf_str(&groups, "own:x:10:u\n");
	for (int i = 0; i < 255; i++)
		strbuf_printf(&groups, "g%d:x:%d:u\n", i, 1000 + i);
	fixture_put(f, "/etc/group", groups.data, 0644);
	assert_ok(host_user(f->host, "u", f->arena, &u, &e));
	assert_int_equal(u.n_groups, 256);
	assert_int_equal(u.groups[0], 10);
	assert_int_equal(u.groups[1], 1000);
	assert_int_equal(u.groups[255], 1254);
	strbuf_str(&groups, "more:x:2000:u\n");
	fixture_put(f, "/etc/group", groups.data, 0644);
	assert_ok(host_user(f->host, "u", f->arena, &u, &e));
	assert_int_equal(u.n_groups, 256);
	assert_int_equal(u.groups[255], 1254);
}

static void names_and_numbers_of_owners(void **state)
{
	static const struct {
		struct host_owner owner;
		uid_t uid;
		gid_t gid;
	} rows[] = {
	        {{.user = "root", .group = "root"}, 0, 0},
	        {{.user = "u"}, 9, 0},
	        {{.group = "g"}, 0, 20},
	        {{.uid = 5, .gid = 6}, 5, 6},
	        {{.user = "u", .gid = 6}, 9, 6},
	        {{.group = "g", .uid = 5}, 5, 20},
	        {{.user = "root", .uid = 5}, 0, 0}, /* a name counts before a number */
	};
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/etc/passwd", "root:x:3:4::/:/bin/sh\nu:x:9:10::/:/bin/sh\n", 0644);
	fixture_put(f, "/etc/group", "root:x:7:\ng:x:20:\n", 0644);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uid_t uid = 99;
		gid_t gid = 99;

		assert_ok(host_owner_ids(f->host, &rows[i].owner, &uid, &gid, &e));
		assert_int_equal(uid, rows[i].uid);
		assert_int_equal(gid, rows[i].gid);
	}
	struct host_owner bad = {.user = "u", .group = "none"};
	uid_t uid = 99;
	gid_t gid = 99;
	assert_err(host_owner_ids(f->host, &bad, &uid, &gid, &e), ERR_HOST,
	           "looking up group 'none': no such group");
	assert_int_equal(e.reason, REASON_HOST_USER);
	assert_int_equal(e.no, ENOENT);
	bad = (struct host_owner){.user = "none"};
	assert_err(host_owner_ids(f->host, &bad, &uid, &gid, &e), ERR_HOST,
	           "looking up user 'none': no such user");
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(uid + gid, 198); /* untouched */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(this_machines_users_come_from_nss),
	        FIXTURE_TEST(an_images_users_come_from_its_files),
	        FIXTURE_TEST(as_many_groups_as_there_may_be),
	        FIXTURE_TEST(names_and_numbers_of_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
