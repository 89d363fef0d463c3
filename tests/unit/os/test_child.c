/* SPDX-License-Identifier: Apache-2.0 */
/* One child under a deadline: what it is given, what is kept of its output, and how it is ended. */
#include "child_test.h"

static int abort_itself(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGSEGV);
	return 0;
}

static void status_and_signal(void **state)
{
	(void)state;
	assert_ok(run(exit_seven));
	assert_int_equal(end.status, 7);
	assert_int_equal(end.signal, 0);
	assert_false(end.timed_out);
	assert_false(end.abandoned);
	assert_ok(run(abort_itself));
	assert_int_equal(end.status, 128 + SIGSEGV);
	assert_int_equal(end.signal, SIGSEGV);
	assert_false(end.timed_out);
}

static void end_well(int sig)
{
	(void)sig;
	say(2, "ended");
	_exit(5);
}

static int wait_forever(void)
{
	while (!*(volatile long *)&shared->number[7])
		pause();
	return 0;
}

static int end_at_term(void *ctx)
{
	(void)ctx;
	signal(SIGTERM, end_well);
	return wait_forever();
}

static int ignore_term(void *ctx)
{
	(void)ctx;
	signal(SIGTERM, SIG_IGN);
	return wait_forever();
}

static void at_its_deadline_it_is_asked_and_then_killed(void **state)
{
	(void)state;
	assert_ok(run_until(end_at_term, clock_in_ms(300)));
	assert_true(end.timed_out);
	assert_false(end.abandoned);
	assert_int_equal(end.status, 5);
	assert_string_equal(end.errout.data, "ended");
	assert_ok(run_until(ignore_term, clock_in_ms(100)));
	assert_true(end.timed_out);
	assert_false(end.abandoned);
	assert_int_equal(end.signal, SIGKILL);
}

/* ---- its descendants ---- */

static int leave_an_orphan(void *ctx)
{
	bool linger = ctx != NULL;

	if (fork() == 0) {
		setsid();
		shared->number[0] = getpid();
		for (;;)
			pause();
	}
	while (!*(volatile long *)&shared->number[0])
		usleep(1000);
	while (linger)
		pause();
	return 0;
}

static int linger_with_an_orphan(void *ctx)
{
	(void)ctx;
	return leave_an_orphan(&shared);
}

/* Its parent has ended, and it has left group and session: nothing leads to it but that we inherited it. */
static int linger_with_one_inherited(void *ctx)
{
	pid_t between = fork();

	(void)ctx;
	if (between == 0) {
		if (fork() == 0) {
			setsid();
			shared->number[0] = getpid();
			for (;;)
				pause();
		}
		_exit(0);
	}
	waitpid(between, NULL, 0);
	for (;;)
		pause();
}

static void one_that_was_inherited_ends_with_the_deadline(void **state)
{
	(void)state;
	shared->number[0] = 0;
	assert_ok(run_until(linger_with_one_inherited, clock_in_ms(1000)));
	assert_true(end.timed_out);
	pid_t pid = (pid_t)shared->number[0];
	assert_true(pid > 0);
	/* Were it not ended, there would be nothing to wait for yet. */
	int ended = waitpid(pid, NULL, WNOHANG);
	if (ended == 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_int_not_equal(ended, 0);
}

static void orphans_end_with_the_deadline_only(void **state)
{
	(void)state;
	assert_ok(run(leave_an_orphan));
	assert_false(end.timed_out);
	assert_int_equal(kill((pid_t)shared->number[0], 0), 0);
	kill((pid_t)shared->number[0], SIGKILL);
	shared->number[0] = 0;
	assert_ok(run_until(linger_with_an_orphan, clock_in_ms(500)));
	assert_true(end.timed_out);
	assert_true(shared->number[0] > 0);
	while (waitpid((pid_t)shared->number[0], NULL, 0) < 0 && errno == EINTR)
		;
	assert_int_equal(kill((pid_t)shared->number[0], 0), -1);
}

/* ---- what it is given ---- */

static bool is_default(int sig)
{
	struct sigaction now;

	sigaction(sig, NULL, &now);
	return now.sa_handler == SIG_DFL;
}

static int look_around(void *ctx)
{
	sigset_t mask;
	int death = 0, fds = 0;

	(void)ctx;
	prctl(PR_GET_PDEATHSIG, &death);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int fd = 0; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);

		fds += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	shared->number[0] = getpgid(0) == getpid();
	shared->number[1] = death;
	shared->number[2] = is_default(SIGHUP) && is_default(SIGUSR1) && is_default(SIGCHLD) &&
	                    is_default(SIGRTMAX);
	shared->number[3] = sigismember(&mask, SIGTERM);
	shared->number[4] = umask(0);
	shared->number[5] = fds;
	shared->number[6] = read(0, &death, 1);
	return 0;
}

static void a_clean_start(void **state)
{
	int before = -1, after = -1, open_one = dup2(STDERR_FILENO, 3);
	sigset_t term;

	(void)state;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	mode_t mask = umask(077);
	prctl(PR_GET_CHILD_SUBREAPER, &before);
	assert_ok(run(look_around));
	prctl(PR_GET_CHILD_SUBREAPER, &after);
	assert_int_equal(umask(mask), 077);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGRTMAX, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	close(open_one);
	assert_int_equal(before, after);
	assert_int_equal(shared->number[0], 1);
	assert_int_equal(shared->number[1], SIGKILL);
	assert_int_equal(shared->number[2], 1);
	assert_int_equal(shared->number[3], 0);
	assert_int_equal(shared->number[4], 022);
	assert_int_equal(shared->number[5], 3);
	assert_int_equal(shared->number[6], 0);
}

static int copy_input(void *ctx)
{
	char text[32];
	ssize_t n = read(0, text, sizeof text);

	(void)ctx;
	return n > 0 && write(1, text, (size_t)n) == n ? 0 : 1;
}

static void its_input(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	say(fds[1], "input");
	close(fds[1]);
	const struct child_spec spec = {
	        .main = copy_input, .in = fds[0], .out_max = 10, .deadline = clock_in_ms(GUARD_MS)};
	assert_ok(child_run(&spec, a, &end, &e));
	close(fds[0]);
	assert_string_equal(end.out.data, "input");
}

/* One that is stdin already stays it, and is no other descriptor's copy. */
static void its_input_is_ours(void **state)
{
	int fds[2], ours = fcntl(0, F_DUPFD_CLOEXEC, 10);

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(dup3(fds[0], 0, O_CLOEXEC), 0);
	say(fds[1], "input");
	close(fds[1]);
	close(fds[0]);
	struct child_spec spec = {
	        .main = copy_input, .in = 0, .out_max = 10, .deadline = clock_in_ms(GUARD_MS)};
	int r = child_run(&spec, a, &end, &e);
	const char *out = end.out.data;
	spec.main = look_around;
	int again = child_run(&spec, a, &end, &e);
	assert_int_equal(dup2(ours, 0), 0);
	close(ours);
	assert_int_equal(r, 0);
	assert_int_equal(again, 0);
	assert_string_equal(out, "input");
	assert_int_equal(shared->number[5], 3);
}

static void an_input_that_is_none(void **state)
{
	const struct child_spec spec = {
	        .main = exit_seven, .in = 999, .out_max = 10, .deadline = clock_in_ms(GUARD_MS)};

	(void)state;
	assert_ok(child_run(&spec, a, &end, &e));
	assert_int_equal(end.status, 127);
	assert_int_equal(end.signal, 0);
}

/* A process that adopts orphans anyhow goes on doing so. */
static void a_subreaper_stays_one(void **state)
{
	int after = 0;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_ok(run(exit_seven));
	prctl(PR_GET_CHILD_SUBREAPER, &after);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	assert_int_equal(after, 1);
}

/* ---- what it says ---- */

/* Half of what is needed is given back. */
static void one_that_cannot_be_heard(void **state)
{
	struct rlimit before, few;
	int next = dup(STDERR_FILENO);

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){(rlim_t)next + 3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int r = run(exit_seven);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	for (int fd = next; fd < next + 4; fd++)
		assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void one_that_cannot_be_started(void **state)
{
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = run(exit_seven);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_string_equal(e.text, "starting a process: Too many open files");
}

int main(void)
{
#define CHILD(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        CHILD(status_and_signal),
	        CHILD(at_its_deadline_it_is_asked_and_then_killed),
	        CHILD(orphans_end_with_the_deadline_only),
	        CHILD(one_that_was_inherited_ends_with_the_deadline),
	        CHILD(a_clean_start),
	        CHILD(its_input),
	        CHILD(its_input_is_ours),
	        CHILD(an_input_that_is_none),
	        CHILD(a_subreaper_stays_one),
	        CHILD(one_that_cannot_be_heard),
	        CHILD(one_that_cannot_be_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
