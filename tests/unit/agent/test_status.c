/* SPDX-License-Identifier: Apache-2.0 */
/* status: what is printed of a status file, and the exit status that goes with it. */
#include "agent_run.h"

#include <signal.h>

#include "host/lock.h"

#define STATUS "run/hpc-node/status.json"

static void before_any_run(void **state)
{
	(void)state;
	AGENT("status", "--root", top);
	assert_status(1);
	assert_says(ran.err, "no bootstrap has run here since the machine started");
	put(STATUS, "{\"phase\":");
	AGENT("status", "--root", top);
	assert_status(3);
}

static void a_run_that_ended(void **state)
{
	static const char *const phases[] = {"ready", "degraded", "failed"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
		put(STATUS, arena_printf(arena, "{\"phase\":\"%s\",\"exit_status\":%zu}\n",
		                         phases[i], i + 3));
		AGENT("status", "--root", top);
		assert_status((int)i + 3);
		assert_string_equal(ran.out, arena_printf(arena, "%s\n", phases[i]));
		AGENT("status", "--root", top, "--wait"); /* nothing to wait for */
		assert_status((int)i + 3);
	}
}

static void in_words_as_json_and_silently(void **state)
{
	static const char text[] =
	        "{\"phase\":\"failed\",\"start_ns\":1000000000,\"end_ns\":3500000000,"
	        "\"exit_status\":1,\"facts\":{\"node\":\"n1\",\"role\":\"compute\"},"
	        "\"error\":{\"text\":\"it broke\",\"hint\":\"mend it\"},\"steps\":["
	        "{\"id\":\"a\",\"state\":\"ok\",\"start_ns\":1000000000,\"end_ns\":2250000000,"
	        "\"error\":null},{\"id\":\"b\",\"state\":\"failed\",\"start_ns\":0,"
	        "\"error\":{\"text\":\"no b\"}}]}\n";

	(void)state;
	put(STATUS, text);
	AGENT("status", "--root", top);
	assert_status(1);
	assert_string_equal(ran.out, arena_printf(arena,
	                                          "failed  node n1  role compute  2.500 s\n"
	                                          "  it broke\n  mend it\n"
	                                          "  %-8s %-40s %8.3f s\n  %-8s %-40s\n"
	                                          "           no b\n",
	                                          "ok", "a", 1.25, "failed", "b"));
	AGENT("status", "--root", top, "--json");
	assert_status(1);
	assert_string_equal(ran.out, text);
	AGENT("status", "--root", top, "--quiet");
	assert_status(1);
	assert_string_equal(ran.out, "");
	AGENT("status", "--root", top, "--quiet", "--json");
	assert_string_equal(ran.out, text);
	put(STATUS,
	    "{\"phase\":\"failed\",\"exit_status\":1,\"start_ns\":5,\"error\":{\"text\":\"x\"}}");
	AGENT("status", "--root", top);
	assert_string_equal(ran.out, "failed\n  x\n  \n");
}

/* Holds the lock in a child until it is told to let go, as a run does; returns its process. */
static pid_t hold_lock(int *ret_told)
{
	int told[2], held[2];
	char byte;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(held), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct host *h;
		int fd;

		close(told[1]);
		if (host_open(top, HOST_LIVE, &h, &e) < 0 || host_lock(h, &fd, &e) < 0)
			_exit(1);
		(void)!write(held[1], "x", 1);
		(void)!read(told[0], &byte, 1);
		_exit(0);
	}
	close(told[0]);
	close(held[1]);
	assert_int_equal(read(held[0], &byte, 1), 1);
	close(held[0]);
	*ret_told = told[1];
	return pid;
}

static void a_run_in_progress_or_one_that_was_killed(void **state)
{
	int told;

	(void)state;
	put(STATUS, "{\"phase\":\"running\",\"start_ns\":1}");
	AGENT("status", "--root", top);
	assert_status(1);
	assert_string_equal(ran.out, "interrupted\n");
	AGENT("status", "--root", top, "--wait", "--deadline", "60s"); /* nobody will end it */
	assert_status(1);
	pid_t pid = hold_lock(&told);
	AGENT("status", "--root", top);
	assert_status(6);
	assert_string_equal(ran.out, "running\n");
	AGENT("status", "--root", top, "--wait", "--deadline", "200ms");
	assert_status(7);
	assert_string_equal(ran.out, "running\n");
	put(STATUS, "{\"phase\":\"ready\",\"exit_status\":0}");
	AGENT("status", "--root", top);
	assert_status(0);
	close(told);
	waitpid(pid, NULL, 0);
}

static void waiting_ends_with_the_run(void **state)
{
	int told;

	(void)state;
	put(STATUS, "{\"phase\":\"running\"}");
	pid_t pid = hold_lock(&told);
	pid_t waiting = agent_start((const char *[]){"hpc-agent", "status", "--root", top, "--wait",
	                                             "--deadline", "60s", NULL});
	put("new.json", "{\"phase\":\"degraded\",\"exit_status\":8}");
	assert_int_equal(rename(at("new.json"), at(STATUS)), 0);
	agent_end(waiting);
	assert_status(8);
	assert_string_equal(ran.out, "degraded\n");
	close(told);
	waitpid(pid, NULL, 0);
}

static void waiting_begins_before_the_run_does(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("run"), 0755), 0);
	AGENT("status", "--root", top, "--wait", "--deadline", "200ms");
	assert_status(1);
	assert_says(ran.err, "no bootstrap has run here");
	pid_t waiting = agent_start((const char *[]){"hpc-agent", "status", "--root", top, "--wait",
	                                             "--deadline", "60s", NULL});
	put("new.json", "{\"phase\":\"ready\",\"exit_status\":0}");
	assert_true(mkdir(at("run/hpc-node"), 0755) == 0 || errno == EEXIST);
	assert_int_equal(rename(at("new.json"), at(STATUS)), 0);
	agent_end(waiting);
	assert_status(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(before_any_run),
	        SCRATCH_TEST(a_run_that_ended),
	        SCRATCH_TEST(in_words_as_json_and_silently),
	        SCRATCH_TEST(a_run_in_progress_or_one_that_was_killed),
	        SCRATCH_TEST(waiting_ends_with_the_run),
	        SCRATCH_TEST(waiting_begins_before_the_run_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
