/* SPDX-License-Identifier: Apache-2.0 */
/* How a program ends: by itself, by its deadline, with all that it started; and what is told of it. */
#include "exec_test.h"

static void the_deadline_ends_it(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_err(run_in(f, self,
	                  (struct host_exec){SH("echo $$; echo almost >&2; sleep 600"),
	                                     .deadline = clock_in_ms(300)},
	                  &r, &e),
	           ERR_HOST, "'sh': not finished by its deadline and ended: almost");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_int_equal(e.reason, REASON_STEP_TIMEOUT);
	assert_true(r.timed_out);
	assert_false(r.abandoned);
	assert_int_equal(r.status, 128 + SIGTERM);
	assert_true(is_dead(pid_in(r.out.data)));
}

static void who_ignores_term_is_killed_with_all_below(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_true(
	        run_in(f, self,
	               (struct host_exec){SH("trap '' TERM; sleep 600 & echo $!; wait; sleep 600"),
	                                  .deadline = clock_in_ms(200)},
	               &r, &e) < 0);
	assert_int_equal(r.status, 128 + SIGKILL);
	assert_true(is_dead(pid_in(r.out.data)));
}

/* Twice forked, in a session of its own, its parent gone: only the subreaper can find it. */
static void an_escaped_grandchild_is_found(void **state)
{
	struct fixture *f = *state;
	int reaper = 0;
	struct host_result r;
	struct err e = {0};

	assert_true(
	        run_in(f, self,
	               (struct host_exec){
	                       SH("(setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 600' &) ; "
	                          "sleep 600"),
	                       .deadline = clock_in_ms(500)},
	               &r, &e) < 0);
	assert_true(is_dead(pid_in(r.out.data)));
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	assert_int_equal(reaper, 0);
}

static void a_daemon_left_in_time_is_let_be(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, self, (struct host_exec){SH("setsid sleep 600 & echo $!")}, &r, &e));
	assert_int_equal(r.status, 0);
	int pid = pid_in(r.out.data);
	assert_false(is_dead(pid));
	kill(pid, SIGKILL);
}

static void failing_to_start_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct host_result r = {.status = 42};
	struct err e = {0};

	assert_err(run_in(f, self, (struct host_exec){ARGV("hpc-no-such-program")}, &r, &e),
	           ERR_HOST, "'hpc-no-such-program': No such file");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_err(run_in(f, self, (struct host_exec){ARGV("/etc/passwd")}, &r, &e), ERR_HOST,
	           "Permission denied");
	assert_err(run_in(f, self, (struct host_exec){ARGV("true"), .cwd = "/none"}, &r, &e),
	           ERR_HOST, "entering the directory");
	assert_err(run_in(f, self, (struct host_exec){ARGV("true"), .user = "hpc-nobody"}, &r, &e),
	           ERR_HOST, "'hpc-nobody'");
	assert_int_equal(r.status, 42);
	struct host_exec no_deadline = {ARGV("true")};
	assert_err(host_run(self, &no_deadline, f->arena, &r, &e), ERR_BUG, "deadline");
}

/* Only when it ended well: the caller's result stays as it was otherwise. */
static void run_ok_gives_the_result(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("echo out; echo err >&2"), .deadline = clock_in_ms(20000)};
	struct host_exec failing = {SH("echo out; exit 3"), .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 77};
	struct err e = {0};

	assert_err(host_run_ok(self, &failing, f->arena, &r, &e), ERR_HOST, "exit status 3: out");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 77);
	assert_ok(host_run_ok(self, &x, f->arena, &r, &e));
	assert_int_equal(r.status, 0);
	assert_true(blob_eq(r.out, "out\n"));
	assert_true(blob_eq(r.errout, "err\n"));
}

/* With the lowest free descriptor one sees that no host is left open. */
static void here_is_this_machine(void **state)
{
	struct fixture *f = *state;
	struct host_exec sees = {ARGV("sh", "-c",
	                              "cd $0 && echo /$SYSTEMD_OFFLINE$SOURCE_DATE_EPOCH; exit 3",
	                              f->root),
	                         .deadline = clock_in_ms(20000)};
	struct host_exec missing = {ARGV("/no/such/program"), .deadline = clock_in_ms(20000)};
	struct host_exec change = {ARGV("touch", fixture_path(f, "/touched")), .changes = true,
	                           .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 77};
	struct err e = {0};
	int before = dup(0);

	close(before);
	assert_err(host_run_here_ok(&sees, f->arena, &r, &e), ERR_HOST,
	           "running 'sh': exit status 3: /");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 77);
	assert_ok(host_run_here(&sees, f->arena, &r, &e));
	assert_int_equal(r.status, 3);
	assert_true(blob_eq(r.out, "/\n"));
	assert_err(host_run_here(&missing, f->arena, &r, &e), ERR_HOST,
	           "running '/no/such/program': No such file");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_ok(host_run_here_ok(&change, f->arena, &r, &e));
	assert_int_equal(r.status, 0);
	assert_int_equal(access(fixture_path(f, "/touched"), F_OK), 0);
	int after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

static void run_ok_carries_the_last_words(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("echo first >&2; printf 'bad \\033[31mred\\n\\n' >&2; exit 3"),
	                      .deadline = clock_in_ms(20000)};
	struct host_exec killed = {SH("kill -KILL $$"), .deadline = clock_in_ms(20000)};
	struct host_exec realtime = {SH("kill -40 $$"), .deadline = clock_in_ms(20000)};
	struct host_exec high = {SH("exit 254"), .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 42};
	struct err e = {0};

	assert_err(host_run_ok(self, &x, f->arena, &r, &e), ERR_HOST,
	           "running 'sh': exit status 3: bad \\x1b[31mred");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 42);
	assert_err(host_run_ok(self, &killed, f->arena, &r, &e), ERR_HOST, "ended by SIGKILL");
	assert_err(host_run_ok(self, &realtime, f->arena, &r, &e), ERR_HOST, "ended by signal 40");
	assert_err(host_run_ok(self, &high, f->arena, &r, &e), ERR_HOST, "exit status 254");
}

static void the_last_words_may_be_on_standard_output(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_err(
	        run_in(f, self,
	               (struct host_exec){SH("echo out; sleep 600"), .deadline = clock_in_ms(300)},
	               &r, &e),
	        ERR_HOST, "'sh': not finished by its deadline and ended: out");
	assert_err(run_in(f, self,
	                  (struct host_exec){ARGV("sleep", "600"), .deadline = clock_in_ms(100)},
	                  &r, &e),
	           ERR_HOST, "'sleep': not finished by its deadline and ended");
	assert_null(strstr(e.text, "ended:"));
}

/* What a child reports by is its parent's to let go. */
static void nothing_stays_shared(void **state)
{
	struct fixture *f = *state;
	size_t mapped[2] = {0};
	struct host_result r;
	struct err e = {0};

	for (int i = 0; i < 2; i++) {
		FILE *maps = fopen("/proc/self/maps", "re");
		char line[512];

		assert_non_null(maps);
		while (fgets(line, sizeof line, maps))
			mapped[i] += strstr(line, "/dev/zero") != NULL;
		fclose(maps);
		for (int k = 0; k < 3; k++)
			assert_ok(run_in(f, self, (struct host_exec){ARGV("true")}, &r, &e));
	}
	assert_int_equal(mapped[1], mapped[0]);
}

static void how_it_ended_in_words(void **state)
{
	const struct host_result rows[] = {
	        {.status = 0}, {.status = 7}, {.status = 143, .signal = SIGTERM}, {.signal = 63}};
	static const char *const words[] = {"exit status 0", "exit status 7", "ended by SIGTERM",
	                                    "ended by signal 63"};
	char out[HOST_HOW];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(host_how_ended(&rows[i], out), words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(the_last_words_may_be_on_standard_output),
	        FIXTURE_TEST(nothing_stays_shared),
	        FIXTURE_TEST(how_it_ended_in_words),
	        FIXTURE_TEST(the_deadline_ends_it),
	        FIXTURE_TEST(who_ignores_term_is_killed_with_all_below),
	        FIXTURE_TEST(an_escaped_grandchild_is_found),
	        FIXTURE_TEST(a_daemon_left_in_time_is_let_be),
	        FIXTURE_TEST(failing_to_start_is_an_error),
	        FIXTURE_TEST(run_ok_gives_the_result),
	        FIXTURE_TEST(here_is_this_machine),
	        FIXTURE_TEST(run_ok_carries_the_last_words),
	};
	struct err e;

	if (host_open("/", HOST_LIVE, &self, &e) < 0)
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_close(self);
	return failed;
}
