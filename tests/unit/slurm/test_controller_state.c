/* SPDX-License-Identifier: Apache-2.0 */
/* Where slurmctld keeps its jobs and its log: whose it must be, and what is read of the log. */
#include "head_world.h"

#include "slurm/slurm_client_own.h"

#define SLURM 64030

static struct controller_conf conf;

static int start(void **state)
{
	begin(state);
	if (!unit_is_root())
		return 0;
	put_etc("/etc/passwd", "root:x:0:0::/root:/bin/sh\nslurm:x:64030:64031::/:/bin/false\n"
	                       "other:x:64032:64030::/:/bin/false\n");
	put_etc("/etc/group", "root:x:0:\nslurm:x:64030:\nrest:x:64031:\n");
	conf = (struct controller_conf){.user = "slurm",
	                                .state_dir = "/var/lib/slurm",
	                                .log = "/var/log/slurm/slurmctld.log"};
	return 0;
}

static int holds(void)
{
	e = (struct err){0};
	return controller_state_holds(&ctx, &conf, &e);
}

static int make(void)
{
	e = (struct err){0};
	return controller_state_make(&ctx, &conf, &e);
}

static void assert_place(const char *name, unsigned mode, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void both_are_made_for_slurms_user(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(holds(), 0);
	assert_int_equal(make(), 0);
	assert_place(STATE_DIR, 0700, SLURM, 64030);
	assert_place("machine/var/log/slurm", 0755, SLURM, 64030);
	assert_int_equal(holds(), 1);
	assert_int_equal(rmdir(at("machine/var/log/slurm")), 0);
	assert_int_equal(holds(), 0);
	assert_int_equal(make(), 0);
	assert_int_equal(holds(), 1);
	/* A log in the root directory needs none. */
	assert_int_equal(rmdir(at("machine/var/log/slurm")), 0);
	conf.log = "/slurmctld.log";
	assert_int_equal(holds(), 1);
	conf.log = NULL;
	assert_int_equal(holds(), 1);
	assert_int_equal(make(), 0);
	assert_int_equal(access(at("machine/var/log/slurm"), F_OK), -1);
}

static void a_user_without_a_group_of_that_name(void **state)
{
	(void)state;
	unit_need_root();
	conf.user = "other";
	assert_int_equal(make(), 0);
	assert_place(STATE_DIR, 0700, 64032, 0);
	conf.user = "nobody-there";
	assert_err(holds(), ERR_HOST, "SlurmUser of '/etc/slurm/slurm.conf'");
	assert_err(make(), ERR_HOST, "nobody-there");
}

static void a_directory_that_cannot_be_made(void **state)
{
	(void)state;
	unit_need_root();
	put("machine/file", "");
	conf.log = "/file/logs/slurmctld.log";
	assert_int_equal(holds(), 0);
	assert_err(make(), ERR_HOST, "'/file/logs'");
	assert_int_equal(e.no, ENOTDIR);
	conf.log = NULL;
	conf.state_dir = "/file/state";
	assert_err(make(), ERR_HOST, "'/file/state'");
}

/* Nobody else may write what slurmctld takes over at its next start. */
static void others_may_not_write_there(void **state)
{
	static const struct {
		unsigned mode;
		int holds;
	} rows[] = {{0700, 1}, {0755, 1}, {0720, 0}, {0702, 0}, {0777, 0}};

	(void)state;
	unit_need_root();
	assert_int_equal(make(), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(chmod(at(STATE_DIR), rows[i].mode), 0);
		assert_int_equal(holds(), rows[i].holds);
		assert_int_equal(make(), 0);
		assert_place(STATE_DIR, rows[i].holds ? rows[i].mode : 0700, SLURM, 64030);
	}
}

/* A new volume is root's, with nothing in it: then it is taken. What is in use stays. */
static void somebody_elses_is_not_taken(void **state)
{
	static const unsigned closed[] = {0755, 0700}, open[] = {01755, 0775, 0757};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		put(STATE_DIR "/lost+found/x", "");
		assert_int_equal(chown(at(STATE_DIR), 0, 0), 0);
		assert_int_equal(chmod(at(STATE_DIR), closed[i]), 0);
		assert_int_equal(holds(), 0);
		assert_int_equal(make(), 0);
		assert_place(STATE_DIR, 0700, SLURM, 64030);
	}
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		assert_int_equal(chown(at(STATE_DIR), 0, 0), 0);
		assert_int_equal(chmod(at(STATE_DIR), open[i]), 0);
		assert_err(make(), ERR_HOST,
		           "StateSaveLocation '/var/lib/slurm' is not a directory of SlurmUser's");
		assert_int_equal(e.reason, REASON_SLURM_STATE);
		assert_int_equal(e.no, EPERM);
	}
	assert_int_equal(chmod(at(STATE_DIR), 0755), 0);
	assert_int_equal(chown(at(STATE_DIR), 64032, 0), 0);
	assert_err(holds(), ERR_HOST, "is not a directory of SlurmUser's");
	assert_int_equal(chown(at(STATE_DIR), 0, 0), 0);
	put(STATE_DIR "/job_state", "");
	assert_err(holds(), ERR_HOST, "is not a directory of SlurmUser's");
	conf.state_dir = "/var/lib/slurm/job_state";
	conf.user = "root";
	assert_err(holds(), ERR_HOST, "is not a directory of SlurmUser's");
}

static void mount_state(const char *type, const char *options)
{
	(void)mkdir(at("machine/var"), 0755);
	(void)mkdir(at("machine/var/lib"), 0755);
	(void)mkdir(at(STATE_DIR), 0700);
	(void)umount2(at(STATE_DIR), MNT_DETACH);
	assert_int_equal(mount("none", at(STATE_DIR), type, 0, options), 0);
	assert_int_equal(chmod(at(STATE_DIR), 0700), 0);
	assert_int_equal(chown(at(STATE_DIR), SLURM, SLURM), 0);
}

static void a_place_that_loses_or_lacks(void **state)
{
	(void)state;
	unit_need_root();
	mount_state("tmpfs", "size=16m");
	assert_err(
	        holds(), ERR_HOST,
	        "StateSaveLocation '/var/lib/slurm' is in memory: a reboot would lose every job");
	assert_int_equal(e.reason, REASON_SLURM_STATE);
	assert_int_equal(e.no, EINVAL);
	mount_state("tmpfs", "size=16380k");
	assert_err(make(), ERR_HOST,
	           "StateSaveLocation '/var/lib/slurm' has 16380 KiB left, and slurmctld saves its "
	           "jobs there");
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	assert_int_equal(e.no, ENOSPC);
	assert_int_equal(umount2(at(STATE_DIR), MNT_DETACH), 0);
}

static struct blob since(uint64_t from)
{
	return slurm_log_since(&ctx, conf.log, from);
}

static void what_came_after_a_moment(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(slurm_log_size(&ctx, conf.log), 0);
	assert_int_equal(since(0).len, 0);
	put(LOG, "before\nafter\n");
	assert_int_equal(slurm_log_size(&ctx, conf.log), 13);
	assert_string_equal(since(7).data, "after\n");
	assert_int_equal(since(7).len, 6);
	assert_int_equal(since(13).len, 0);
	assert_string_equal(since(14).data, "before\nafter\n"); /* it was rotated */
	conf.log = NULL;
	assert_int_equal(slurm_log_size(&ctx, conf.log), 0);
	assert_int_equal(since(0).len, 0);
}

static void its_last_64_kib_at_most(void **state)
{
	char *text = arena_alloc(arena, (64 << 10) + 2);

	(void)state;
	unit_need_root();
	memset(text, 'x', (64 << 10) + 1);
	text[0] = 'a';
	text[1] = 'b';
	put(LOG, text);
	assert_int_equal(since(0).len, 64 << 10);
	assert_int_equal(since(0).data[0], 'b');
	text[64 << 10] = '\0';
	put(LOG, text);
	assert_int_equal(since(0).len, 64 << 10);
	assert_int_equal(since(0).data[0], 'a');
}

/* SlurmUser may put anything there, and root reads it. */
static void only_a_plain_file_is_a_log(void **state)
{
	(void)state;
	unit_need_root();
	put(LOG, "text");
	assert_int_equal(link(at(LOG), at("machine/other")), 0);
	assert_int_equal(slurm_log_size(&ctx, conf.log), 0);
	assert_int_equal(unlink(at(LOG)), 0);
	assert_int_equal(since(0).len, 0);
	assert_int_equal(symlink("/other", at(LOG)), 0);
	assert_int_equal(slurm_log_size(&ctx, conf.log), 0);
	assert_int_equal(unlink(at(LOG)), 0);
	assert_int_equal(mkfifo(at(LOG), 0644), 0);
	assert_int_equal(slurm_log_size(&ctx, conf.log), 0);
	assert_int_equal(since(0).len, 0);
	assert_int_equal(unlink(at(LOG)), 0);
	assert_int_equal(mkdir(at(LOG), 0755), 0);
	assert_int_equal(since(0).len, 0);
}

int main(void)
{
#define PLACE(fn) cmocka_unit_test_setup_teardown(fn, start, end)
	const struct CMUnitTest tests[] = {
	        PLACE(both_are_made_for_slurms_user), PLACE(a_user_without_a_group_of_that_name),
	        PLACE(others_may_not_write_there),    PLACE(a_directory_that_cannot_be_made),
	        PLACE(somebody_elses_is_not_taken),   PLACE(a_place_that_loses_or_lacks),
	        PLACE(what_came_after_a_moment),      PLACE(its_last_64_kib_at_most),
	        PLACE(only_a_plain_file_is_a_log),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
