/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of slurm.conf, and which changes of it need a restart. */
#include "scratch.h"

#include "base/clock.h"
#include "slurm/controller_own.h"

#define CONF                                                                                       \
	"# a comment\n"                                                                            \
	"ClusterName=t\n"                                                                          \
	"slurmuser=slurm\n"                                                                        \
	"StateSaveLocation=/var/lib/slurm/slurmctld\n"                                             \
	"SlurmctldLogFile=/var/log/slurm/slurmctld.log\n"                                          \
	"SuspendTime=600\n"                                                                        \
	"NodeName=q-dy-a-[1-4] State=CLOUD\n"                                                      \
	"PartitionName=DEFAULT MaxTime=INFINITE\n"                                                 \
	"  PartitionName=q Nodes=ALL \\\n"                                                         \
	"    Default=YES State=UP\n"                                                               \
	"Include more.conf\n"

static int read_it(struct controller_conf *ret)
{
	struct host *h = NULL;

	assert_ok(host_open(top, HOST_LIVE, &h, &e));
	const struct step_ctx c = {.host = h, .arena = arena, .deadline = clock_in_ms(10000)};
	int r = controller_conf_read(&c, ret, &e);
	host_close(h);
	return r;
}

static struct controller_conf conf_of(const char *text)
{
	struct controller_conf conf = {0};

	put("etc/slurm/slurm.conf", text);
	assert_ok(read_it(&conf));
	return conf;
}

static void begin(void)
{
	put("etc/slurm/more.conf", "PartitionName=\"r\" Nodes=ALL\n");
}

static void what_is_read(void **state)
{
	struct controller_conf conf;

	(void)state;
	begin();
	conf = conf_of(CONF);
	assert_string_equal(conf.user, "slurm");
	assert_string_equal(conf.state_dir, "/var/lib/slurm/slurmctld");
	assert_string_equal(conf.log, "/var/log/slurm/slurmctld.log");
	assert_int_equal(conf.partitions.n, 2);
	assert_string_equal(conf.partitions.items[0], "q");
	assert_string_equal(conf.partitions.items[1], "r");
	assert_true(conf.changed_us > 0);
	conf = conf_of("ClusterName=t\n");
	assert_string_equal(conf.user, "root");
	assert_string_equal(conf.state_dir, "/var/spool");
	assert_null(conf.log);
	assert_int_equal(conf.partitions.n, 0);
}

/* As slurmctld's own parser takes them. */
static void blanks_and_operators(void **state)
{
	struct controller_conf conf;

	(void)state;
	conf = conf_of("SlurmUser = slurm\nStateSaveLocation\t=  \"/var/lib/s\"\n"
	               "SlurmctldLogFile += /var/log/s\nPartitionName = batch Nodes=ALL\n"
	               "PartitionName\nPartitionName=\nPartitionName = \n");
	assert_string_equal(conf.user, "slurm");
	assert_string_equal(conf.state_dir, "/var/lib/s");
	assert_string_equal(conf.log, "/var/log/s");
	assert_int_equal(conf.partitions.n, 1);
	assert_string_equal(conf.partitions.items[0], "batch");
}

/* The change of what is read, not of the link that leads there; nor the time that a copy has kept. */
static void when_it_changed(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct controller_conf conf;
	struct stat st;

	(void)state;
	conf = conf_of("ClusterName=t\n");
	assert_int_equal(rename(at("etc/slurm/slurm.conf"), at("etc/slurm/real.conf")), 0);
	assert_int_equal(symlink("real.conf", at("etc/slurm/slurm.conf")), 0);
	assert_int_equal(utimensat(AT_FDCWD, at("etc/slurm/real.conf"), old, 0), 0);
	assert_int_equal(stat(at("etc/slurm/real.conf"), &st), 0);
	assert_ok(read_it(&conf));
	assert_int_equal(conf.changed_us, (uint64_t)st.st_ctim.tv_sec * 1000000 +
	                                          (uint64_t)st.st_ctim.tv_nsec / 1000);
}

/* Replaces the first occurrence of `from`. */
static const char *changed(const char *from, const char *to)
{
	const char *found = strstr(CONF, from);

	assert_non_null(found);
	return arena_printf(arena, "%.*s%s%s", (int)(found - CONF), CONF, to, found + strlen(from));
}

static void which_change_needs_a_restart(void **state)
{
	static const struct {
		const char *from, *to;
		bool lasting;
	} cases[] = {
	        {"SuspendTime=600", "SuspendTime=60", false},
	        {"SuspendTime=600", "suspendtime=60", false},
	        {"SuspendTime=600\n", "", false},
	        {"Default=YES State=UP", "Default=YES State=DOWN", false},
	        {"# a comment", "# another", false},
	        {"# a comment", "MinJobAge=60", false},
	        {"# a comment", "SuspendTimeX=60", true},
	        {"# a comment", "SlurmctldPort=6820", true},
	        {"q-dy-a-[1-4]", "q-dy-a-[1-5]", true},
	        {"ClusterName=t", "ClusterName=u", true},
	        {"Include more.conf\n", "", false}, /* it holds a partition */
	};
	struct controller_conf before, after;

	(void)state;
	begin();
	before = conf_of(CONF);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		after = conf_of(changed(cases[i].from, cases[i].to));
		assert_string_not_equal(before.all, after.all);
		if ((strcmp(before.lasting, after.lasting) != 0) != cases[i].lasting)
			fail_msg("'%s' for '%s'", cases[i].to, cases[i].from);
	}
	after = conf_of(CONF);
	assert_string_equal(before.all, after.all);
	assert_string_equal(before.lasting, after.lasting);
}

static void files_beside_it_count(void **state)
{
	static const struct {
		const char *name;
		bool lasting;
	} cases[] = {{"etc/slurm/cgroup.conf", false},
	             {"etc/slurm/gres.conf", true},
	             {"etc/slurm/topology.conf", true}};
	struct controller_conf before, after;

	(void)state;
	begin();
	before = conf_of(CONF);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put(cases[i].name, "text\n");
		assert_ok(read_it(&after));
		assert_string_not_equal(before.all, after.all);
		assert_int_equal(strcmp(before.lasting, after.lasting) != 0, cases[i].lasting);
		assert_int_equal(unlink(at(cases[i].name)), 0);
	}
	put("etc/slurm/more.conf", "NodeName=other\n");
	assert_ok(read_it(&after));
	assert_string_not_equal(before.lasting, after.lasting);
}

/* slurmctld looks at them once, when it starts. */
static void programs_it_names_count(void **state)
{
	static const char *const keys[] = {"ResumeProgram", "SuspendProgram", "ResumeFailProgram",
	                                   "PrologSlurmctld"};
	const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct controller_conf none, there, again;
	struct stat st;

	(void)state;
	begin();
	put("site/other", "");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = arena_printf(arena, "%s%s=/site/run\n", CONF, keys[i]);

		(void)conf_of(text);
		assert_ok(read_it(&none));
		assert_int_equal(symlink("real", at("site/run")), 0);
		assert_ok(read_it(&again)); /* to nowhere */
		assert_string_equal(none.lasting, again.lasting);
		put("site/real", "#!/bin/sh\n");
		assert_ok(read_it(&again));
		assert_string_not_equal(none.lasting, again.lasting);
		assert_int_equal(unlink(at("site/run")), 0);
		put("site/run", "#!/bin/sh\n");
		assert_int_equal(chmod(at("site/run"), 0755), 0);
		/* As a package has it. */
		assert_int_equal(utimensat(AT_FDCWD, at("site/run"), long_ago, 0), 0);
		assert_int_equal(stat(at("site/run"), &st), 0);
		assert_ok(read_it(&there));
		assert_string_not_equal(none.all, there.all);
		assert_string_not_equal(none.lasting, there.lasting);
		assert_int_equal(there.changed_us, (uint64_t)st.st_ctim.tv_sec * 1000000 +
		                                           (uint64_t)st.st_ctim.tv_nsec / 1000);
		put("site/run", "#!/bin/sh\nexit 1\n"); /* it is read at each call */
		assert_int_equal(chmod(at("site/run"), 0755), 0);
		assert_ok(read_it(&again));
		assert_string_equal(there.lasting, again.lasting);
		assert_int_equal(chmod(at("site/run"), 0644), 0);
		assert_ok(read_it(&again));
		assert_string_not_equal(there.lasting, again.lasting);
		assert_int_equal(unlink(at("site/run")), 0);
		assert_int_equal(unlink(at("site/real")), 0);
		assert_ok(read_it(&again));
		assert_string_equal(none.lasting, again.lasting);
	}
}

static void what_is_not_read(void **state)
{
	struct controller_conf conf = {0};

	(void)state;
	assert_err(read_it(&conf), ERR_HOST, "there is no '/etc/slurm/slurm.conf'");
	assert_int_equal(e.reason, REASON_SLURM_CONF);
	put("etc/slurm/slurm.conf", "include /etc/slurm/slurm.conf\n");
	assert_err(read_it(&conf), ERR_INPUT, "more than 64 files are included");
	put("etc/slurm/slurm.conf", "Include /etc/none.conf\n");
	assert_err(read_it(&conf), ERR_HOST, "there is no '/etc/none.conf'");
	assert_null(conf.user);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(what_is_read),          TEST(blanks_and_operators),
	        TEST(when_it_changed),       TEST(which_change_needs_a_restart),
	        TEST(files_beside_it_count), TEST(programs_it_names_count),
	        TEST(what_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
