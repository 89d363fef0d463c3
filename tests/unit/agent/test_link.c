/* SPDX-License-Identifier: Apache-2.0 */
/* What slurmctld calls without arguments: by its name, with the job in the environment. */
#include "machine.h"

#include "agent/link.h"
#include "base/clock.h"

#define NODES                                                                                      \
	(char[])                                                                                   \
	{                                                                                          \
		"SLURM_JOB_NODELIST=q-dy-a-[1-3]"                                                  \
	}
#define CONF                                                                                       \
	(char[])                                                                                   \
	{                                                                                          \
		"SLURM_CONF=/srv/slurm.conf"                                                       \
	}

static int status;

/* What it wrote to standard error. */
static const char *run(const char *called, char **environment)
{
	int kept = dup(STDERR_FILENO);
	int fd = open(at("err"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	status = -1;
	dup2(fd, STDERR_FILENO);
	char *argv[] = {arena_strdup(arena, called), NULL};
	bool known = link_run(agent_links, 1, argv, environment, &status);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
	return known ? get("err") : NULL;
}

static void only_a_links_name_is_taken(void **state)
{
	char *none[] = {NULL};

	(void)state;
	assert_null(run("hpc-agent", none));
	assert_null(run("/usr/sbin/hpc-agent", none));
	assert_null(run("slurm-prolog-wait/hpc-agent", none));
	assert_null(run("", none));
	assert_int_equal(status, -1);
	assert_non_null(run("slurm-prolog-wait", none));
	assert_non_null(run("/usr/lib/hpc-node/slurm-prolog-wait", none));
}

static void without_a_job_it_is_a_mistake(void **state)
{
	char *others[] = {(char[]){"SLURM_JOB_NODELISTS=x"}, (char[]){"XSLURM_JOB_NODELIST=x"},
	                  NULL};

	(void)state;
	assert_string_equal(run("slurm-prolog-wait", others),
	                    "slurm-prolog-wait: SLURM_JOB_NODELIST is not set: expected to be "
	                    "called by slurmctld, as PrologSlurmctld\n");
	assert_int_equal(status, 2);
}

static void the_jobs_nodes_are_asked_for(void **state)
{
	char *job[] = {CONF, NODES, NULL};

	(void)state;
	unit_need_root();
	put_program("sinfo",
	            arena_printf(arena, "echo \"$SLURM_CONF\" >%s/conf\necho idle\n", top));
	assert_string_equal(run("slurm-prolog-wait", job), "");
	assert_int_equal(status, 0);
	assert_string_equal(calls_of("sinfo"), "--noheader --nodes q-dy-a-[1-3] --format=%T\n");
	assert_string_equal(get("conf"), "/srv/slurm.conf\n");
}

/* A status would requeue the job, and slurmctld finds out by itself, only later. */
static void what_cannot_be_found_out_holds_no_job_up(void **state)
{
	char *job[] = {NODES, NULL};

	(void)state;
	unit_need_root();
	put("bin/sinfo", "no program");
	assert_int_equal(chmod(at("bin/sinfo"), 0755), 0);
	struct clock_fake now = {.now_ns = clock_now()};
	clock_set_fake(&now);
	const char *said = run("slurm-prolog-wait", job);
	clock_set_fake(NULL);
	assert_true(str_starts(said, "slurm-prolog-wait: running 'sinfo'"));
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(only_a_links_name_is_taken),
	        MACHINE_TEST(without_a_job_it_is_a_mistake),
	        MACHINE_TEST(the_jobs_nodes_are_asked_for),
	        MACHINE_TEST(what_cannot_be_found_out_holds_no_job_up),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
