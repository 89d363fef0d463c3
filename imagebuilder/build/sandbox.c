/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three processes: child_run's, which stays outside and only waits; the first of the new process
 * namespace, whose end is the end of all that is in it; and the one that does the work.
 */
#include "build/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"
#include "build/sandbox_own.h"
#include "host/child.h"

#define OUTPUT_MAX 4096 /* kept for the message when there is no other */

struct report {
	bool failed;
	struct err err;
};

struct job {
	const struct sandbox *sandbox;
	struct report *report;
	bool terminal; /* the program gets it, in a process group of its own */
};

static int wait_for(pid_t pid)
{
	int st = 0;

	/* As the first process of a namespace we are also the parent of every orphan. */
	for (;;) {
		pid_t r = waitpid(-1, &st, 0);

		if (r == pid)
			return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
		if (r < 0 && errno != EINTR)
			return 127;
	}
}

static int fail(const struct job *j)
{
	j->report->failed = true;
	return 1;
}

/* To our process group; whoever has it not is stopped for asking, unless it ignores that. */
static void take_terminal(void)
{
	void (*was)(int) = signal(SIGTTOU, SIG_IGN);

	(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	signal(SIGTTOU, was);
}

static _Noreturn void work(const struct job *j)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (j->terminal) {
		(void)setpgid(0, 0);
		take_terminal();
	}
	if (j->sandbox->main(j->sandbox->ctx, &j->report->err) < 0)
		_exit(fail(j));
	fflush(stdout);
	_exit(0);
}

static _Noreturn void first(const struct job *j, int alive)
{
	struct pollfd parent = {.fd = alive, .events = POLLIN};

	/* Whoever made us may have died before this took effect; the pipe tells. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) != 0)
		_exit(1);
	if (sandbox_enter(j->sandbox, &j->report->err) < 0 ||
	    sandbox_confine(j->sandbox, &j->report->err) < 0)
		_exit(fail(j));
	pid_t pid = fork();
	if (pid == 0)
		work(j);
	int status = pid < 0 ? 127 : wait_for(pid);
	sandbox_leave(j->sandbox);
	_exit(status);
}

static int outside(void *ctx)
{
	const struct job *j = ctx;
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	int alive[2];

	if (!j->sandbox->network)
		flags |= CLONE_NEWNET;
	if (unshare(flags) < 0 || pipe2(alive, O_CLOEXEC) < 0) {
		(void)err_errno(&j->report->err, errno, "making namespaces");
		return fail(j);
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(alive[1]);
		first(j, alive[0]);
	}
	if (pid < 0) {
		(void)err_errno(&j->report->err, errno, "starting a process");
		return fail(j);
	}
	close(alive[0]);
	return wait_for(pid);
}

static int judge(const struct child_end *end, const struct report *report, struct err *e)
{
	if (report->failed) {
		*e = report->err;
		return -e->no;
	}
	if (end->timed_out)
		return err_set(e, ERR_HOST,
		               end->abandoned ? REASON_STEP_ABANDONED : REASON_STEP_TIMEOUT,
		               ETIMEDOUT, "not finished by its deadline and ended");
	if (end->status == 0)
		return 0;
	if (end->status > 128)
		return err_set(e, ERR_HOST, REASON_STEP_DIED, EIO, "the process died by signal %d",
		               end->status - 128);
	return err_set(e, ERR_HOST, REASON_STEP_DIED, EIO, "the process ended with status %d",
	               end->status);
}

int sandbox_run(const struct sandbox *s, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct report *report = child_share(sizeof *report);
	struct job job = {.sandbox = s, .report = report};
	struct child_spec spec = {.main = outside,
	                          .ctx = &job,
	                          .in = -1,
	                          .out_max = OUTPUT_MAX,
	                          .err_max = OUTPUT_MAX,
	                          .deadline = s->deadline,
	                          .line = s->line,
	                          .line_ctx = s->line_ctx};
	struct child_end end;

	if (!report)
		return err_errno(e, ENOMEM, "making a sandbox");
	int r = child_run(&spec, a, &end, e);
	if (r == 0)
		r = judge(&end, report, e);
	child_unshare(report, sizeof *report);
	return r;
}

/* ---- a look inside ---- */

struct program {
	const char *const *argv, *const *env;
};

static void signals(const int *list, size_t n, void (*handler)(int))
{
	for (size_t i = 0; i < n; i++)
		signal(list[i], handler);
}

/* What a terminal sends is for the program; what ends us ends it. */
static const int from_keys[] = {SIGINT, SIGQUIT}, to_end[] = {SIGTERM, SIGHUP};

static int exec_main(void *ctx, struct err *e)
{
	static const char *const shells[] = {"/bin/bash", "/bin/sh"};
	const struct program *p = ctx;
	const char *const shell[] = {shells[access(shells[0], X_OK) == 0 ? 0 : 1], NULL};
	const char *const *argv = *p->argv ? p->argv : shell;

	signals(from_keys, ARRAY_LEN(from_keys), SIG_DFL);
	environ = (char **)(uintptr_t)p->env; /* where PATH is looked for, too */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	return err_set(e, ERR_HOST, REASON_HOST_EXEC, errno, "running '%s' in the image: %s",
	               argv[0], strerror(errno));
}

static volatile sig_atomic_t ended_by;
static volatile pid_t attached;

static void end(int sig)
{
	ended_by = sig;
	if (attached > 0)
		kill(attached, SIGKILL);
}

static _Noreturn void attached_main(const struct job *j, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signals(to_end, ARRAY_LEN(to_end), SIG_DFL);
	umask(022);
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	_exit(outside((void *)(uintptr_t)j));
}

static int attach(const struct job *j, struct err *e)
{
	pid_t parent = getpid();
	int st;

	ended_by = 0;
	signals(from_keys, ARRAY_LEN(from_keys), SIG_IGN);
	signals(to_end, ARRAY_LEN(to_end), end);
	attached = fork();
	if (attached == 0)
		attached_main(j, parent);
	if (attached < 0)
		return err_errno(e, errno, "starting a process");
	if (ended_by) /* between fork and here */
		kill(attached, SIGKILL);
	while (waitpid(attached, &st, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "waiting for a process");
	attached = 0;
	if (ended_by)
		return 128 + (int)ended_by;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

int sandbox_exec(const struct sandbox *s, const char *const *argv, const char *const *env,
                 int *ret_status, struct err *e)
{
	struct program program = {argv, env};
	struct sandbox box = {.layers = s->layers,
	                      .dir = s->dir,
	                      .network = s->network,
	                      .main = exec_main,
	                      .ctx = &program};
	struct report *report = child_share(sizeof *report);
	/* A command stays in our group, so that the keys reach it and ^Z all of us. */
	struct job job = {&box, report, !*argv && isatty(STDIN_FILENO)};

	if (!report)
		return err_errno(e, ENOMEM, "making a sandbox");
	int r = attach(&job, e);
	if (job.terminal)
		take_terminal();
	if (r >= 0 && report->failed) {
		*e = report->err;
		r = -e->no;
	}
	child_unshare(report, sizeof *report);
	if (r < 0)
		return r;
	*ret_status = r;
	return 0;
}
