/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox's first process, and the one that does the work. Both run a program that was executed
 * with nothing but its job; scripts that run below can't look into either.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "sandbox/sandbox_own.h"

#define NOT_CALLED 70 /* not started by this program: a bug, or a person did it */

struct inside {
	struct sandbox_order order;
	const struct sandbox_job *job;
	void *arg;
	struct sandbox_report *report;
};

bool sandbox_called(int argc, char **argv)
{
	return argc == 1 && str_eq(argv[0], SANDBOX_NAME);
}

/* Gives the terminal to our process group; a process outside the foreground group is stopped when
 * it asks for it, unless it ignores that signal. */
void sandbox_take_terminal(void)
{
	void (*was)(int) = signal(SIGTTOU, SIG_IGN);

	(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	signal(SIGTTOU, was);
}

/* ---- waiting ---- */

static int status_of(int st)
{
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

/* Until a child has ended, or it is time for a tick. */
static void wait_signal(void)
{
	static const struct timespec period = {.tv_nsec = SANDBOX_TICK_MS * 1000000L};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	(void)sigtimedwait(&ends, NULL, &period);
}

int sandbox_wait(int pid, int (*tick)(void *ctx), void *ctx)
{
	int st = 0;

	/* As the first process of a namespace we are also the parent of every orphan. */
	for (;;) {
		pid_t r = waitpid(-1, &st, tick ? WNOHANG : 0);

		if (r == pid)
			return status_of(st);
		if (r < 0 && errno != EINTR)
			return 127;
		if (r != 0)
			continue;
		wait_signal();
		int ended = tick(ctx);
		if (ended < 0)
			return ended;
	}
}

/* ---- the limit on processes ---- */

static size_t count_processes(void)
{
	scope_dir DIR *proc = opendir("/proc");
	struct dirent *d;
	size_t n = 0;

	while (proc && (d = readdir(proc)))
		n += d->d_name[0] >= '1' && d->d_name[0] <= '9';
	return n;
}

/* RLIMIT_NPROC doesn't apply to root, and not every machine lets us make a control group. */
static int watch_processes(void *ctx)
{
	struct inside *in = ctx;

	if (count_processes() <= SANDBOX_PROCESSES)
		return 0;
	in->report->failed = true;
	return err_set(&in->report->err, ERR_HOST, REASON_STEP_DIED, EAGAIN,
	               "more than %d processes at once: all of them were ended", SANDBOX_PROCESSES);
}

/* ---- the work ---- */

static int fail(struct inside *in, const struct err *e)
{
	in->report->err = *e;
	in->report->failed = true;
	return 1;
}

static _Noreturn void work(struct inside *in)
{
	sigset_t none;
	struct err e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (in->order.terminal) {
		(void)setpgid(0, 0);
		sandbox_take_terminal();
	}
	if (sandbox_confine(in->order.layers ? SANDBOX_IMAGE : SANDBOX_BESIDE, &e) < 0)
		_exit(fail(in, &e));
	if (in->job->run(in->arg, &e) < 0)
		_exit(fail(in, &e));
	fflush(stdout);
	_exit(0);
}

static int first(struct inside *in)
{
	struct sandbox_lent lent = {0};
	sigset_t ends;
	struct err e;

	if (sandbox_enter(&in->order, &lent, &e) < 0)
		return fail(in, &e);
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	pid_t pid = fork();
	if (pid == 0)
		work(in);
	syscall(SYS_close_range, 3U, ~0U, 0U);
	if (sandbox_confine(SANDBOX_FIRST, &e) < 0)
		return fail(in, &e);
	int status = pid < 0 ? 127 : sandbox_wait(pid, watch_processes, in);
	sandbox_leave(&lent);
	return status < 0 ? 1 : status;
}

/* ---- what is received ---- */

void sandbox_order_parcel(struct parcel *p, struct sandbox_order *o)
{
	parcel_text(p, &o->job);
	parcel_list(p, &o->layers);
	parcel_text(p, &o->dir);
	parcel_bool(p, &o->network);
	parcel_bool(p, &o->terminal);
}

static int receive(const struct sandbox_job *(*find)(const char *name), struct arena *a,
                   struct inside *ret)
{
	struct stat st;
	struct parcel p;

	if (fstat(SANDBOX_JOB_FD, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > PARCEL_MAX)
		return -EBADF;
	void *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, SANDBOX_JOB_FD, 0);
	void *report = mmap(NULL, sizeof *ret->report, PROT_READ | PROT_WRITE, MAP_SHARED,
	                    SANDBOX_REPORT_FD, 0);
	if (text == MAP_FAILED || report == MAP_FAILED)
		return -errno;
	parcel_open(&p, (struct blob){text, (size_t)st.st_size}, a);
	*ret = (struct inside){.report = report};
	sandbox_order_parcel(&p, &ret->order);
	ret->job = str_eq(ret->order.job, sandbox_program.name) ? &sandbox_program
	                                                        : find(ret->order.job);
	if (!ret->job)
		return -EINVAL;
	ret->arg = arena_alloc(a, ret->job->size);
	ret->job->parcel(&p, ret->arg);
	return p.broken || p.in.len ? -EINVAL : 0;
}

void sandbox_main(const struct sandbox_job *(*find)(const char *name))
{
	struct inside in;

	/* A process in the sandbox may be root there, and still can't look into this one. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    syscall(SYS_close_range, (unsigned)SANDBOX_JOB_FD, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(NOT_CALLED);
	int r = receive(find, arena_new(), &in);
	if (r < 0)
		_exit(NOT_CALLED);
	close(SANDBOX_JOB_FD);
	close(SANDBOX_REPORT_FD);
	_exit(first(&in));
}

/* ---- a program with our terminal ---- */

static void program_parcel(struct parcel *p, void *arg)
{
	struct sandbox_program *program = arg;

	parcel_list(p, &program->argv);
	parcel_list(p, &program->env);
}

static int program_run(void *arg, struct err *e)
{
	static const char *const shells[] = {"/bin/bash", "/bin/sh"};
	const struct sandbox_program *p = arg;
	const char *const shell[] = {shells[access(shells[0], X_OK) == 0 ? 0 : 1], NULL};
	const char *const *argv = *p->argv ? p->argv : shell;

	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	environ = (char **)(uintptr_t)p->env; /* also decides the PATH that is searched */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	return err_set(e, ERR_HOST, REASON_HOST_EXEC, errno, "running '%s' in the image: %s",
	               argv[0], strerror(errno));
}

const struct sandbox_job sandbox_program = {
        .name = "program",
        .size = sizeof(struct sandbox_program),
        .parcel = program_parcel,
        .run = program_run,
};
