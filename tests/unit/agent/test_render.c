/* SPDX-License-Identifier: Apache-2.0 */
/* render: its command line, its directory, and what it says. tests/render has what is in the files. */
#include "agent_run.h"

#define CLUSTER                                                                                    \
	"Region: eu-west-1\nImage: {Os: alinux2}\n"                                                \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"            \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                        \
	"  - Name: q1\n    ComputeResources: [{Name: r1, InstanceType: t3.micro, MaxCount: 2}]\n"  \
	"    Networking: {SubnetIds: [subnet-12121212]}\n"

#define RENDER(...) AGENT("render", at("c.yaml"), "--output", at("dir"), __VA_ARGS__)

static void the_command_line(void **state)
{
	(void)state;
	put("c.yaml", CLUSTER);
	AGENT("render", at("c.yaml"));
	assert_status(2);
	assert_says(ran.err, "render needs --output DIR: where to write the files");
	RENDER("--role", "compute");
	assert_status(2);
	assert_says(ran.err, "--role: a node of role 'compute' has no files of its own to write");
	RENDER("--slurm", "21.08");
	assert_status(2);
	assert_says(ran.err, "--slurm: '21.08' is no release of Slurm from 22.05 on");
	assert_int_equal(access(at("dir"), F_OK), -1);
	RENDER("--role", "head");
	assert_status(0);
}

static void each_file_is_written_and_named(void **state)
{
	size_t lines = 0;

	(void)state;
	put("c.yaml", CLUSTER);
	RENDER("--node", "head");
	assert_status(0);
	for (char *save = NULL, *line = strtok_r(arena_strdup(arena, ran.out), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (str_starts(line, "note: "))
			continue;
		assert_true(str_starts(line, at("dir/")));
		assert_int_equal(access(line, F_OK), 0);
		lines++;
	}
	assert_true(lines >= 2);
	assert_string_equal(ran.err, "");
	struct stat st;
	assert_int_equal(stat(at("dir/etc/slurm/slurm.conf"), &st), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(st.st_mode & 07777, 0644);
	static const char *const dirs[] = {"dir", "dir/etc", "dir/etc/slurm"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(stat(at(dirs[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
	}
	assert_says(get("dir/etc/slurm/slurm.conf"), "PartitionName=q1 ");
	assert_says(get("dir/etc/exports.d/hpc-node.exports"), "/home ");
	assert_says(get("dir/etc/nfs.conf.d/90-hpc-node.conf"), "[nfsd]");
	const char *before = get("dir/etc/slurm/slurm.conf");
	put("dir/etc/slurm/slurm.conf", "old\n"); /* what is there is replaced */
	RENDER("--quiet");
	assert_status(0);
	assert_string_equal(ran.out, "");
	assert_string_equal(get("dir/etc/slurm/slurm.conf"), before);
}

/* The head fetches it itself; here it is named. */
static void a_file_from_elsewhere_is_not_written(void **state)
{
	(void)state;
	put("c.yaml",
	    "Region: eu-west-1\nImage: {Os: alinux2}\n"
	    "HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"
	    "Scheduling:\n  Scheduler: slurm\n"
	    "  SlurmSettings: {CustomSlurmSettingsIncludeFile: 's3://bucket/own.conf'}\n"
	    "  SlurmQueues:\n  - Name: q1\n"
	    "    ComputeResources: [{Name: r1, InstanceType: t3.micro, MaxCount: 2}]\n"
	    "    Networking: {SubnetIds: [subnet-12121212]}\n");
	AGENT("render", at("c.yaml"), "--output", at("dir"));
	assert_status(0);
	const char *name = strstr(ran.out, "note: /");
	assert_non_null(name);
	name += strlen("note: ");
	const char *end = strstr(name, ": the head fetches it from 's3://bucket/own.conf'; it is "
	                               "not written here\n");
	assert_non_null(end);
	assert_int_equal(
	        access(arena_printf(arena, "%s%.*s", at("dir"), (int)(end - name), name), F_OK),
	        -1);
	assert_null(strstr(ran.out, arena_printf(arena, "dir%.*s\n", (int)(end - name), name)));
}

/* Who may write to the directory may have aimed links in it at others. */
static void links_below_the_directory_are_not_followed(void **state)
{
	(void)state;
	put("c.yaml", CLUSTER);
	assert_int_equal(mkdir(at("victim"), 0755), 0);
	assert_int_equal(mkdir(at("dir"), 0755), 0);
	assert_int_equal(symlink(at("victim"), at("dir/etc")), 0);
	RENDER("--quiet");
	assert_status(1);
	assert_says(ran.err, "making directory 'etc': ");
	assert_int_equal(rmdir(at("victim")), 0); /* nothing was made in it */
}

/* A setting that only a later release knows is found where the files are made. */
static void what_the_release_lacks(void **state)
{
	(void)state;
	put("c.yaml",
	    "Region: eu-west-1\nImage: {Os: alinux2}\n"
	    "HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"
	    "Scheduling:\n  Scheduler: slurm\n"
	    "  SlurmSettings: {CustomSlurmSettings: [{PrologTimeout: 1}]}\n"
	    "  SlurmQueues:\n  - Name: q1\n"
	    "    ComputeResources: [{Name: r1, InstanceType: t3.micro, MaxCount: 2}]\n"
	    "    Networking: {SubnetIds: [subnet-12121212]}\n");
	AGENT("render", at("c.yaml"), "--output", at("dir"));
	assert_status(3);
	assert_says(ran.err, "PrologTimeout");
	assert_int_equal(access(at("dir"), F_OK), -1);
	AGENT("render", at("c.yaml"), "--output", at("dir"), "--slurm", "25.05");
	assert_status(0);
	assert_says(get("dir/etc/slurm/slurm.conf"), "PrologTimeout=1\n");
}

static void what_it_does_not_take(void **state)
{
	(void)state;
	put("c.yaml", "hostname: n\n");
	RENDER("-q");
	assert_status(3);
	assert_says(ran.err, "c.yaml:1:1: expected a ParallelCluster configuration");
	put("c.yaml", CLUSTER "    ComputeSettings: {NoSuch: 1}\nNoSuch: 1\n");
	RENDER("--strict");
	assert_status(3);
	assert_says(ran.err, "c.yaml:10:23: ");
	assert_says(ran.err, "c.yaml:11:1: ");
	RENDER("-q");
	assert_status(0);
	AGENT("render", at("none.yaml"), "--output", at("dir"));
	assert_status(3);
	put("c.yaml", CLUSTER);
	put("node.yaml", "#hpc-node\nhead: 'a:1'\n");
	RENDER("--node-document", at("node.yaml"));
	assert_status(3);
	assert_says(ran.err, "head: 'a:1' is no address");
}

static void a_directory_that_is_none(void **state)
{
	(void)state;
	put("c.yaml", CLUSTER);
	put("file", "");
	AGENT("render", at("c.yaml"), "--output", at("file"));
	assert_int_not_equal(ran.status, 0);
	assert_says(ran.err,
	            arena_printf(arena, "opening directory '%s': Not a directory", at("file")));
	AGENT("render", at("c.yaml"), "--output", at("file/dir"));
	assert_int_not_equal(ran.status, 0);
	assert_says(ran.err,
	            arena_printf(arena, "making directory '%s': Not a directory", at("file/dir")));
	put("dir/etc", "");
	RENDER("-q");
	assert_int_not_equal(ran.status, 0);
	assert_says(ran.err, "': Not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(the_command_line),
	        SCRATCH_TEST(each_file_is_written_and_named),
	        SCRATCH_TEST(a_file_from_elsewhere_is_not_written),
	        SCRATCH_TEST(links_below_the_directory_are_not_followed),
	        SCRATCH_TEST(what_the_release_lacks),
	        SCRATCH_TEST(what_it_does_not_take),
	        SCRATCH_TEST(a_directory_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
