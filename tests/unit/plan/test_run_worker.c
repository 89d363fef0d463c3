/* SPDX-License-Identifier: Apache-2.0 */
/* Children that don't end, or are told to. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Programs are the machine's own; the steps that run them write nothing by the host. */
static void use_machine(struct stage *f)
{
	struct err e = {0};

	host_close(f->o.host);
	assert_ok(host_open("/", HOST_LIVE, &f->o.host, &e));
}

/* One plan with ever more time for its step `a`, until that comes as far as leaving the file `left`: a busy machine
 * needs longer. `step` is what it is but its name and its time, `rest` the other steps. */
static void run_as_far_as(struct stage *f, const char *left, const char *step, const char *rest)
{
	for (unsigned ms = 100; access(stage_path(f, left), F_OK) < 0; ms *= 2) {
		assert_true(ms < GUARD_MS);
		(void)unlink(stage_path(f, "c")); /* what the run before wrote */
		stage_run(f, arena_printf(f->a, "things:\n- {name: a, timeout: %ums, %s}\n%s", ms,
		                          step, rest));
	}
}

/* ---- deadlines ---- */

static void hanging_steps_are_killed(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n"
	             "- {name: a, act: hang, timeout: 50ms, provides: x:a}\n"
	             "- {name: b, act: probe-hangs, timeout: 50ms}\n"
	             "- {name: c, act: write, needs: x:a}\n"
	             "- {name: d, act: write, after: things:d2}\n"
	             "- {name: d2, act: write}\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "'things:a' was not done after");
	assert_failed(f, "b", REASON_STEP_TIMEOUT, "was killed");
	assert_failed(f, "c", REASON_STEP_BLOCKED, "things:a");
	assert_state(f, "d", STEP_CHANGED);
	assert_false(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

/* More of them than one listener can keep up with. */
static void talking_is_no_way_out(void **state)
{
	struct stage *f = *state;
	struct strbuf yaml = STRBUF(f->a, 4096);

	strbuf_str(&yaml, "things:\n");
	for (int i = 1; i <= 6; i++)
		strbuf_printf(&yaml, "- {name: %d, act: flood, timeout: 100ms}\n", i);
	stage_run(f, yaml.data);
	for (int i = 1; i <= 6; i++)
		assert_failed(f, arena_printf(f->a, "%d", i), REASON_STEP_TIMEOUT, "was killed");
}

/* What is told in the grace after the deadline is better than "killed". */
static void programs_are_ended_by_the_child(void **state)
{
	struct stage *f = *state;

	use_machine(f);
	f->o.grace_ms = 0;
	run_as_far_as(f, "program", "act: program", "");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "running '/bin/sh'");
	assert_true(stage_number(stage_path(f, "program")) > 0);
	assert_false(stage_alive(stage_number(stage_path(f, "program"))));
}

static void descendants_are_killed_too(void **state)
{
	struct stage *f = *state;

	use_machine(f);
	run_as_far_as(f, "escaped", "act: escape", "");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "was killed");
	long pid = stage_number(stage_path(f, "escaped"));
	uint64_t guard = clock_in_ms(GUARD_MS);

	/* Its last reaper is the machine's; until that has looked it is a zombie. */
	assert_true(pid > 0);
	while (stage_alive(pid))
		assert_true(clock_sleep_ms(5, guard));
}

/* The first try was refused, the second one dies: both are told. */
static void the_last_failure_is_told(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: fail-then-die, retries: 1}]\n");
	assert_failed(f, "a", REASON_STEP_DIED, "exit status 3; try 1: try number 1");
	assert_int_equal(stage_outcome(f, "a")->tries, 2);
}

static void deadline_of_the_run(void **state)
{
	struct stage *f = *state;

	f->o.deadline = clock_in_ms(1000);
	stage_run(f, "things:\n"
	             "- {name: a, act: hang}\n"
	             "- {name: b, after: things:a, optional: true}\n"
	             "- {name: c, after: things:d}\n"
	             "- {name: d, act: hang, optional: true}\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "was killed");
	assert_state(f, "c", STEP_SKIPPED);
	assert_true(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 7);
}

/* Also where it only ended the last step, and none is left that would be skipped. */
static void deadline_of_the_last_step(void **state)
{
	struct stage *f = *state;

	f->o.deadline = clock_in_ms(200);
	f->o.grace_ms = 1;
	stage_run(f, "things: [{name: a, act: hang}]\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "was killed");
	assert_true(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 7);
}

static void deadline_passed_before_the_start(void **state)
{
	struct stage *f = *state;

	f->o.deadline = clock_now();
	stage_run(f, "things: [{name: a}, {name: b, after: things:a}]\n");
	assert_string_equal(f->seen.data, "a=skipped b=skipped ");
	assert_true(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 7);
}

/* Traces whoever asks for it, one after the other: as long as the last one is traced it can't be waited for. */
static pid_t start_tracer(struct stage *f)
{
	const char *asked = stage_path(f, "trace-me"), *done = stage_path(f, "traced");
	uint64_t guard = clock_in_ms(GUARD_MS);
	pid_t tracer = fork();

	if (tracer)
		return tracer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do
		if (!stage_wait_file(asked) || !clock_sleep_ms(2, guard))
			_exit(1);
	while (ptrace(PTRACE_SEIZE, (pid_t)stage_number(asked), 0, 0) < 0);
	close(open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		pause();
}

static void abandoned(void **state)
{
	struct stage *f = *state;
	pid_t tracer = start_tracer(f);

	run_as_far_as(f, "traced", "act: traced, provides: x:a",
	              "- {name: b, needs: x:a}\n- {name: c, act: write}\n");
	assert_failed(f, "a", REASON_STEP_ABANDONED, "left behind");
	assert_state(f, "b", STEP_BLOCKED);
	assert_state(f, "c", STEP_CHANGED);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	/* Only now the one that was left behind can be waited for. */
	assert_int_equal(waitpid((pid_t)stage_number(stage_path(f, "trace-me")), NULL, 0),
	                 stage_number(stage_path(f, "trace-me")));
}

/* ---- being stopped ---- */

/* From outside, as a service manager would, when that file is there. */
static pid_t stop_when(struct stage *f, const char *name)
{
	const char *path = stage_path(f, name);
	uint64_t one = 1;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!stage_wait_file(path) || write(f->stop, &one, sizeof one) != sizeof one)
		_exit(1);
	_exit(0);
}

static void assert_stopped(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void stop_while_a_program_runs(void **state)
{
	struct stage *f = *state;

	use_machine(f);
	f->o.grace_ms = 0;
	pid_t stopper = stop_when(f, "program");
	stage_run(f, "things:\n"
	             "- {name: a, act: program, retries: 5}\n"
	             "- {name: b, after: things:a}\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED,
	              "interrupted: running '/bin/sh': ended by SIGTERM");
	assert_int_equal(stage_outcome(f, "a")->tries, 1);
	assert_state(f, "b", STEP_SKIPPED);
	assert_true(f->r.interrupted);
	assert_false(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

static void stop_while_a_step_hangs(void **state)
{
	struct stage *f = *state;

	f->o.grace_ms = 0;
	pid_t stopper = stop_when(f, "pid-b");
	stage_run(f, "things: [{name: a, act: hang}, {name: b, act: hang, after: things:c}, {name: "
	             "c}]\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED, "interrupted: 'things:a' was ended");
	assert_failed(f, "b", REASON_INTERRUPTED, "interrupted");
	assert_state(f, "c", STEP_OK);
}

static void stop_between_tries(void **state)
{
	struct stage *f = *state;

	pid_t stopper = stop_when(f, "tries");
	stage_run(f, "things: [{name: a, act: unreachable, times: 1000, timeout: 1h}]\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED, "interrupted");
	assert_int_equal(stage_outcome(f, "a")->state, STEP_FAILED);
}

static void stopped_before_the_start(void **state)
{
	struct stage *f = *state;
	uint64_t one = 1;

	assert_int_equal(write(f->stop, &one, sizeof one), sizeof one);
	stage_run(f, "things: [{name: a, act: hang}, {name: b, after: things:a}]\n");
	assert_true(f->r.interrupted);
	assert_state(f, "b", STEP_SKIPPED);
}

/* ---- the limits of the machine ---- */

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* With too few descriptors for a step, or for running at all, that is what is said. */
static void short_of_descriptors(void **state)
{
	struct stage *f = *state;
	struct err e = {0};
	struct rlimit old;
	bool no_run = false, no_step = false, one_by_one = false;

	assert_ok(plan_build(
	        spec_of(f->a, "things: [{name: a, act: write}, {name: b, act: write}]\n"),
	        stage_kinds, NULL, NULL, NULL, f->a, &f->p, &e));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	int lowest = fcntl(f->stop, F_DUPFD_CLOEXEC, 0);
	close(lowest);
	for (rlim_t more = 0; more < 12; more++) {
		struct rlimit few = {.rlim_cur = (rlim_t)lowest + more, .rlim_max = old.rlim_max};

		setrlimit(RLIMIT_NOFILE, &few);
		int r = plan_run(&f->p, &f->o, f->a, &f->r, &e);
		setrlimit(RLIMIT_NOFILE, &old);
		if (r < 0) {
			assert_int_equal(e.kind, ERR_HOST);
			no_run = true;
		} else if (f->r.outcomes[0].state == STEP_FAILED &&
		           f->r.outcomes[0].err.reason == REASON_HOST_EXEC) {
			assert_non_null(strstr(f->r.outcomes[0].err.text, "starting a process"));
			no_step = true;
		} else if (f->r.outcomes[1].state == STEP_CHANGED) {
			one_by_one = true;
		}
	}
	assert_true(no_run && no_step && one_by_one);
}

static void nothing_leaks(void **state)
{
	struct stage *f = *state;
	int before = open_fds();

	for (int i = 0; i < 20; i++)
		stage_run(f, "things: [{name: a}, {name: b, act: kill}, {name: c, act: denied}]\n");
	assert_int_equal(open_fds(), before);
}

/* ---- packets that don't arrive ---- */

/* Where the kernel lacks the memory for a while, nothing is lost. */
static void a_result_is_sent_again(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n"
	             "- {name: a, act: unheard, times: 3, timeout: 10s}\n"
	             "- {name: b, act: write, needs: x:a}\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_state(f, "b", STEP_CHANGED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
}

/* And where it goes on, the step doesn't hang until its deadline. */
static void a_lost_result_ends_the_step(void **state)
{
	struct stage *f = *state;
	uint64_t start = clock_now();

	stage_run(f, "things: [{name: a, act: unheard, times: 1000000, timeout: 60s}]\n");
	assert_failed(f, "a", REASON_STEP_DIED, "its result was lost");
	assert_int_equal(stage_outcome(f, "a")->err.kind, ERR_HOST);
	assert_int_equal(stage_outcome(f, "a")->err.no, ENOBUFS);
	assert_true(clock_now() - start < GUARD_MS * UINT64_C(1000000));
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

static void changes_are_printable(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: escapes}]\n");
	assert_state(f, "a", STEP_CHANGED);
	const struct step_outcome *o = stage_outcome(f, "a");
	assert_int_equal(o->changes.n, 2);
	assert_non_null(strstr(o->changes.items[1], "/\\x1b[31mred"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        STAGE_TEST(hanging_steps_are_killed),
	        STAGE_TEST(talking_is_no_way_out),
	        STAGE_TEST(programs_are_ended_by_the_child),
	        STAGE_TEST(descendants_are_killed_too),
	        STAGE_TEST(the_last_failure_is_told),
	        STAGE_TEST(deadline_of_the_run),
	        STAGE_TEST(deadline_of_the_last_step),
	        STAGE_TEST(deadline_passed_before_the_start),
	        STAGE_TEST(abandoned),
	        STAGE_TEST(stop_while_a_program_runs),
	        STAGE_TEST(stop_while_a_step_hangs),
	        STAGE_TEST(stop_between_tries),
	        STAGE_TEST(stopped_before_the_start),
	        STAGE_TEST(short_of_descriptors),
	        STAGE_TEST(nothing_leaks),
	        STAGE_TEST(a_result_is_sent_again),
	        STAGE_TEST(a_lost_result_ends_the_step),
	        STAGE_TEST(changes_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
