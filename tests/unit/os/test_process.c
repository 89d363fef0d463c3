/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of process.c: which processes descend from a child, and which only look like it. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "os/process.h"

/* A child that leads a group and ends with us. */
static pid_t start(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(setpgid(pid, pid), 0);
	return pid;
}

static int end_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void a_child_is_counted_signalled_and_then_gone(void **state)
{
	struct process_tree t;
	pid_t pid = start();

	(void)state;
	process_tree_of(pid, false, &t);
	assert_true(t.born > 0);
	assert_true(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, 0), 1);
	assert_true(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, SIGTERM), 1);
	assert_int_equal(end_of(pid), SIGTERM);
	assert_false(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, SIGTERM), 0);
}

static void a_zombie_is_not_alive(void **state)
{
	struct process_tree t;
	siginfo_t info;
	pid_t pid = start();

	(void)state;
	process_tree_of(pid, false, &t);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, 0), 0);
	assert_int_equal(end_of(pid), SIGKILL);
}

/* As if an earlier process had had this number, and this one had it now. */
static void one_that_has_the_number_now_is_left_alone(void **state)
{
	struct process_tree t;
	pid_t pid = start();

	(void)state;
	process_tree_of(pid, true, &t);
	t.born--;
	t.orphans = false;
	assert_false(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, SIGKILL), 0);
	t.born++;
	assert_true(process_tree_alive(&t));
	assert_int_equal(process_tree_signal(&t, SIGKILL), 1);
	assert_int_equal(end_of(pid), SIGKILL);
}

/* Two generations below, in a group of its own, and one whose parent has ended. */
static void descendants_and_orphans_are_found(void **state)
{
	struct process_tree with, without;
	int fds[2], status;
	char ready;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setpgid(0, 0);
		if (fork() == 0) { /* ends at once, and leaves its child to us */
			if (fork() == 0) {
				setpgid(0, 0);
				(void)!write(fds[1], "o", 1);
				for (;;)
					pause();
			}
			_exit(0);
		}
		wait(NULL);
		if (fork() == 0) {
			setpgid(0, 0);
			(void)!write(fds[1], "d", 1);
		}
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &ready, 1), 1);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	process_tree_of(pid, true, &with);
	without = with;
	without.orphans = false;
	assert_int_equal(process_tree_signal(&without, 0), 2);
	assert_int_equal(process_tree_signal(&with, SIGKILL), 3);
	while (wait(&status) > 0)
		assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_child_is_counted_signalled_and_then_gone),
	        cmocka_unit_test(a_zombie_is_not_alive),
	        cmocka_unit_test(one_that_has_the_number_now_is_left_alone),
	        cmocka_unit_test(descendants_and_orphans_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
