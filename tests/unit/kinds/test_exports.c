/* SPDX-License-Identifier: Apache-2.0 */
/* exports: which directories are served, in a sandbox of this test; the server is a unit that does
 * nothing. */
#include "kinds_test.h"
#include "machine/unit.h"
#include "model/nfsd.h"

#define SPEC                                                                                       \
	"exports: {networks: [10.0.0.0/16], read-write: [/srv/data], read-only: [/srv/tools]}\n"
#define LINE(path, access) path " 10.0.0.0/16(" access ",sync,root_squash,no_subtree_check,sec=sys"

static int setup(void **state)
{
	*state = fixture_new(HOST_LIVE);
	(void)unlink(NFSD_EXPORTS_PATH);
	(void)umount("/srv/data");
	(void)rmdir("/srv/data");
	(void)unlink("/srv/data");
	assert_int_equal(mkdir("/srv/data", 0755), 0);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* As far as the files: there is no NFS server here. */
static void write_files(struct fixture *f)
{
	struct err e;

	(void)fixture_apply(f, &e);
}

static void assert_both(struct fixture *f, const char *spec, enum reason reason, const char *says)
{
	struct err e = {0};

	assert_ok(fixture_plan(f, spec, &e));
	struct step_ctx c = fixture_ctx(f);
	const struct step *s = f->plan.steps[0];
	assert_err(s->kind->probe(&c, s->fields, &e), ERR_HOST, says);
	assert_int_equal(e.reason, reason);
	fixture_forget(f);
	assert_err(s->kind->apply(&c, s->fields, &e), ERR_HOST, says);
	assert_int_equal(e.reason, reason);
	assert_string_equal(f->record.data, "");
}

static void what_the_files_say(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, SPEC, &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	write_files(f);
	const char *text = fixture_read(f, NFSD_EXPORTS_PATH);
	assert_non_null(
	        strstr(text, "\n" LINE("/srv/data", "rw") ")\n" LINE("/srv/tools", "ro") ")\n"));
	text = fixture_read(f, NFSD_CONF_PATH);
	assert_non_null(strstr(text, "\ngrace-time=10\nlease-time=10\n"));
	assert_ok(fixture_plan(f,
	                       "exports: {networks: [10.0.0.0/16], read-only: [/srv/data], squash: "
	                       "all, threads: 5, grace: 20s}\n",
	                       &e));
	write_files(f);
	text = fixture_read(f, NFSD_EXPORTS_PATH);
	assert_non_null(strstr(text, "\n/srv/data 10.0.0.0/16(ro,sync,all_squash,"));
	text = fixture_read(f, NFSD_CONF_PATH);
	assert_non_null(strstr(text, "\nthreads=5\ngrace-time=20\nlease-time=20\n"));
}

/* After a reboot the server may be asked for before the mount is there. */
static void a_mount_that_is_late(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(mount("tmpfs", "/srv/data", "tmpfs", 0, "mode=0755"), 0);
	assert_ok(fixture_plan(f, SPEC, &e));
	write_files(f);
	const char *with = fixture_read(f, NFSD_EXPORTS_PATH);
	assert_non_null(strstr(with, LINE("/srv/data", "rw") ",mountpoint)\n"));
	assert_non_null(strstr(with, LINE("/srv/tools", "ro") ")\n"));

	assert_int_equal(umount("/srv/data"), 0);
	assert_both(f, SPEC, REASON_EXPORT_MISSING, "nothing is mounted there, as it was before");
	assert_string_equal(fixture_read(f, NFSD_EXPORTS_PATH), with);

	struct fixture *dry = fixture_new(HOST_DRY); /* in which an earlier step may mount it */
	assert_ok(fixture_plan(dry, SPEC, &e));
	assert_ok(fixture_probe(dry, &e));
	fixture_free(dry);

	assert_int_equal(unlink(NFSD_EXPORTS_PATH), 0);
	write_files(f);
	assert_null(strstr(fixture_read(f, NFSD_EXPORTS_PATH), "mountpoint"));
}

static void what_is_not_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir("/srv/data"), 0);
	assert_both(f, SPEC, REASON_EXPORT_MISSING, "'/srv/data': there is no such directory");
	assert_int_equal(symlink("/srv/tools", "/srv/data"), 0);
	assert_both(f, SPEC, REASON_EXPORT_MISSING, "'/srv/data': it is not a directory");
}

/* The server opens it by its path. */
static void what_a_user_could_exchange(void **state)
{
	static const char *const specs[] = {
	        "exports: {networks: [10.0.0.0/16], read-write: [/srv/users/a]}\n",
	        "exports: {networks: [10.0.0.0/16], read-write: [/srv/all/a]}\n",
	        "exports: {networks: [10.0.0.0/16], read-only: [/srv/users/a/b]}\n",
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		assert_both(f, specs[i], REASON_HOST_FILE, "exporting '/srv/");
	assert_ok(fixture_plan(f, "exports: {networks: [10.0.0.0/16], read-write: [/srv/users]}\n",
	                       &e));
	assert_int_equal(fixture_probe(f, &e), 0); /* what is in it is theirs */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(what_the_files_say),
	        T(a_mount_that_is_late),
	        T(what_is_not_there),
	        T(what_a_user_could_exchange),
	};
	static const char *const dirs[] = {"/srv",           "/srv/tools",   "/srv/users",
	                                   "/srv/users/a",   "/srv/all",     "/srv/all/a",
	                                   "/srv/users/a/b", "/etc/systemd", "/etc/systemd/system"};

	sandbox_pids();
	sandbox_enter();
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(dirs[i], 0755), 0);
	assert_int_equal(chown("/srv/users", 1000, 1000), 0);
	assert_int_equal(chmod("/srv/all", 01777), 0);
	fixture_write("/etc/systemd/system/nfs-server.service",
	              "[Service]\nType=oneshot\nExecStart=/bin/true\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
