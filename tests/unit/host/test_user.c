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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(this_machines_users_come_from_nss),
	        FIXTURE_TEST(an_images_users_come_from_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
