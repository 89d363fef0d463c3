/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a head has, and what a release of Slurm lacks. */
#include "render_test.h"

static void which_files_there_are(void **state)
{
	static const char *const names[] = {"/etc/slurm/cgroup.conf", "/etc/slurm/gres.conf",
	                                    "/etc/slurm/slurm.conf", "/etc/slurm/slurm_custom.conf",
	                                    "/etc/slurm/slurmdbd.conf"};
	static const struct doc at = {.line = 7};
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	render_slurmdbd(&c.model, a, &files);
	assert_int_equal(files.n, 3);
	include(&c);
	c.model.include.at = &at;
	own_database(&c);
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	render_slurmdbd(&c.model, a, &files);
	assert_int_equal(files.n, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool secret = i == 4, fetched = i == 3;

		assert_string_equal(files.items[i].path, names[i]);
		assert_int_equal(files.items[i].mode, secret ? 0600 : 0644);
		assert_string_equal(files.items[i].owner, secret ? "slurm" : "root");
		assert_string_equal(files.items[i].group, secret ? "slurm" : "root");
		assert_int_equal(files.items[i].source != NULL, fetched);
		assert_int_equal(files.items[i].content.data == NULL, fetched);
	}
	assert_string_equal(files.items[3].source, "s3://bucket/more");
	assert_ptr_equal(files.items[3].at, &at);
	assert_string_equal(text_of(&files, names[4]),
	                    HEADER "AuthType=auth/munge\nDbdHost=head\nDbdPort=6819\n"
	                           "SlurmUser=slurm\nLogFile=/var/log/slurm/slurmdbd.log\n"
	                           "PidFile=/run/slurmdbd.pid\n"
	                           "StorageType=accounting_storage/mysql\nStorageHost=sql\n"
	                           "StoragePort=3307\nStorageLoc=n\nStorageUser=u\n");
	external(&c);
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	render_slurmdbd(&c.model, a, &files);
	assert_null(file(&files, names[4]));
}

static void gpus_are_in_gres_conf(void **state)
{
	static const char cgroup[] = HEADER "CgroupMountpoint=/sys/fs/cgroup\nConstrainCores=yes\n";
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	c.resources[0].gpus = 1;
	c.resources[0].gpu_model = "t4";
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/gres.conf"),
	                    HEADER "NodeName=q1-st-a-[1-2] Name=gpu Type=t4 File=/dev/nvidia[0-0]\n"
	                           "NodeName=q1-dy-a-[1-3] Name=gpu Type=t4 File=/dev/nvidia[0-0]\n"
	                           "NodeName=q2-st-g-[1-1] Name=gpu Type=a100 "
	                           "File=/dev/nvidia[0-1]\n");
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"),
	                    arena_printf(a, "%sConstrainDevices=yes\n", cgroup));
	c.resources[0].gpus = 0;
	c.resources[2].gpus = 0;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/gres.conf"), HEADER);
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"), cgroup);
	c.model.memory_scheduling = true;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"),
	                    arena_printf(a, "%sConstrainRAMSpace=yes\n", cgroup));
}

static void what_the_nfs_server_gets(void **state)
{
	static struct model_place dirs[] = {{"/home", NULL}, {"/data", NULL}};
	static struct model_place networks[] = {{"10.0.0.0/16", NULL}, {"fd00::/8", NULL}};
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	render_nfsd(&c.model, a, &files);
	assert_int_equal(files.n, 3);
	c.model.exports = dirs;
	c.model.n_exports = 2;
	c.model.networks = networks;
	c.model.n_networks = 2;
	c.model.head_processors = 16;
	render_nfsd(&c.model, a, &files);
	assert_int_equal(files.n, 5);
	assert_string_equal(files.items[0].path, "/etc/exports.d/hpc-node.exports");
	assert_string_equal(files.items[1].path, "/etc/nfs.conf.d/90-hpc-node.conf");
	assert_int_equal(files.items[0].mode, 0644);
	const char *text = files.items[0].content.data;
	assert_line(text, "/home 10.0.0.0/16(rw,sync,root_squash,no_subtree_check,sec=sys) "
	                  "fd00::/8(rw,sync,root_squash,no_subtree_check,sec=sys)");
	assert_non_null(strstr(text, "\n/data 10.0.0.0/16("));
	assert_line(files.items[1].content.data, "threads=64\ngrace-time=10\nlease-time=10");
}

/* ---- keys that this release lacks ---- */

static void keys_that_a_release_lacks(void **state)
{
	static const struct doc at[] = {{.line = 1}, {.line = 2}, {.line = 3}, {.line = 4}};
	static struct model_setting node[] = {{"NoNodeKey", "1", &at[0]}};
	static struct model_setting queue[] = {{"NoQueueKey", "1", &at[1]}};
	static struct model_setting global[] = {{"NoGlobalKey", "1", &at[2]}};
	static struct model_setting line[] = {{"NodeName", "n", NULL}, {"NoLineKey", "1", &at[3]}};
	static struct model_settings lines[] = {{1, global}, {2, line}};
	static const char *const says[] = {"'NoNodeKey'", "'NoQueueKey'", "'NoGlobalKey'",
	                                   "'NoLineKey'"};
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	c.resources[0].settings = (struct model_settings){1, node};
	c.queues[0].settings = (struct model_settings){1, queue};
	c.model.lines = lines;
	c.model.n_lines = 2;
	assert_err(render(&c, 2205, &faults, a, &files, &e), ERR_INPUT, "");
	assert_int_equal(files.n, 0);
	assert_int_equal(faults.n, ARRAY_LEN(says));
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		assert_non_null(strstr(faults.items[i].text, says[i]));
	assert_err(render(&c, 2205, NULL, a, &files, &e), ERR_INPUT, says[0]); /* the first */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(which_files_there_are),
	        cmocka_unit_test(gpus_are_in_gres_conf),
	        cmocka_unit_test(what_the_nfs_server_gets),
	        cmocka_unit_test(keys_that_a_release_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
