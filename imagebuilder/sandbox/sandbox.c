/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a sandbox. Three processes: child_run's, which stays outside and only waits; the first of
 * the new process namespace, which is this program, executed again (sandbox_main.c); and the one that
 * does the work.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "os/child.h"
#include "sandbox/sandbox_own.h"

#define OUTPUT_MAX 4096 /* kept for the message if there is no other */

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3; glibc 2.38 */
#endif

/* What the first process is started with. */
struct start {
	const struct sandbox *sandbox;
	int program, job, report;
	struct sandbox_report *report_here;
};

/* ---- what is passed on ---- */

static int memory(const char *name, unsigned more, int *ret, struct err *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | more);

	/* Before Linux 6.3 the flag doesn't exist, and every memfd can be executed. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | (more & ~MFD_EXEC));
	if (fd < 0)
		return err_errno(e, errno, "making a sandbox");
	*ret = fd;
	return 0;
}

/* Executes a copy: a process that gets access to the program inside must not be able to change
 * ours. */
static int copy_program(int *ret, struct err *e)
{
	scope_fd int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	scope_fd int to = -1;
	struct stat st;
	off_t at = 0;

	if (from < 0 || fstat(from, &st) < 0)
		return err_errno(e, errno, "opening this program");
	int r = memory(SANDBOX_NAME, MFD_ALLOW_SEALING | MFD_EXEC, &to, e);
	if (r < 0)
		return r;
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
		if (n <= 0)
			return err_errno(e, n < 0 ? errno : EIO, "copying this program");
	}
	r = file_seal(to);
	if (r < 0)
		return err_errno(e, -r, "copying this program");
	*ret = steal_fd(&to);
	return 0;
}

static int pack_job(const struct sandbox *s, bool terminal, int *ret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct sandbox_order o = {.job = s->job->name,
	                          .layers = s->layers,
	                          .dir = s->dir,
	                          .network = s->network,
	                          .terminal = terminal};
	scope_fd int fd = -1;
	struct parcel p;

	parcel_begin(&p, a);
	sandbox_order_parcel(&p, &o);
	s->job->parcel(&p, s->arg);
	if (p.broken)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "a step of more than %lu MiB: put large files in place by 'copy'",
		               PARCEL_MAX >> 20);
	int r = memory("job", 0, &fd, e);
	if (r < 0)
		return r;
	r = file_write_all(fd, p.out.data, p.out.len);
	if (r < 0)
		return err_errno(e, -r, "making a sandbox");
	*ret = steal_fd(&fd);
	return 0;
}

static int make_report(struct start *s, struct err *e)
{
	scope_fd int fd = -1;
	int r = memory("report", 0, &fd, e);

	if (r < 0)
		return r;
	if (ftruncate(fd, sizeof *s->report_here) < 0)
		return err_errno(e, errno, "making a sandbox");
	void *at = mmap(NULL, sizeof *s->report_here, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_errno(e, errno, "making a sandbox");
	s->report_here = at;
	s->report = steal_fd(&fd);
	return 0;
}

static void start_close(struct start *s)
{
	scope_close(&s->program);
	scope_close(&s->job);
	scope_close(&s->report);
	if (s->report_here)
		munmap(s->report_here, sizeof *s->report_here);
	s->report_here = NULL;
}
#define scope_start __attribute__((cleanup(start_close)))
#define START(s)                                                                                   \
	{                                                                                          \
		.sandbox = (s), .program = -1, .job = -1, .report = -1                             \
	}

static int start_open(struct start *s, bool terminal, struct err *e)
{
	int r = copy_program(&s->program, e);

	if (r < 0)
		return r;
	r = pack_job(s->sandbox, terminal, &s->job, e);
	if (r < 0)
		return r;
	return make_report(s, e);
}

/* ---- between fork and the first process ---- */

static int fail(const struct start *s)
{
	s->report_here->failed = true;
	return 1;
}

/* Moves the wanted descriptors to 3 and up, and closes all others. They are first moved above all
 * these numbers, so that none is overwritten. */
static int place_descriptors(const struct start *s, int *ret_program)
{
	scope_arena struct arena *a = arena_new();
	size_t n = s->sandbox->n_fds + SANDBOX_FD - SANDBOX_JOB_FD;
	int above = SANDBOX_JOB_FD + (int)n, *moved = arena_array(a, n, sizeof *moved);

	for (size_t i = 0; i < n; i++) {
		int from = i == 0   ? s->job
		           : i == 1 ? s->report
		                    : s->sandbox->fds[i - (SANDBOX_FD - SANDBOX_JOB_FD)];
		moved[i] = fcntl(from, F_DUPFD_CLOEXEC, above);
		if (moved[i] < 0)
			return -errno;
	}
	*ret_program = fcntl(s->program, F_DUPFD_CLOEXEC, above);
	if (*ret_program < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		if (dup2(moved[i], SANDBOX_JOB_FD + (int)i) < 0)
			return -errno;
	if (syscall(SYS_close_range, (unsigned)above, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static _Noreturn void become_first(const struct start *s, int alive)
{
	static char name[] = SANDBOX_NAME;
	char *const argv[] = {name, NULL}, *const env[] = {NULL};
	struct pollfd parent = {.fd = alive, .events = POLLIN};
	int program = -1;

	/* Our parent may have died before this took effect; the pipe shows that. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) != 0)
		_exit(1);
	int r = place_descriptors(s, &program);
	if (r == 0) {
		fexecve(program, argv, env);
		r = -errno;
	}
	(void)err_errno(&s->report_here->err, -r, "executing this program again");
	_exit(fail(s));
}

static int outside(void *ctx)
{
	const struct start *s = ctx;
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	int alive[2];

	if (!s->sandbox->network)
		flags |= CLONE_NEWNET;
	else if (sandbox_lock_network(&s->report_here->err) < 0)
		return fail(s);
	if (unshare(flags) < 0 || pipe2(alive, O_CLOEXEC) < 0) {
		(void)err_errno(&s->report_here->err, errno, "making namespaces");
		return fail(s);
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(alive[1]);
		become_first(s, alive[0]);
	}
	if (pid < 0) {
		(void)err_errno(&s->report_here->err, errno, "starting a process");
		return fail(s);
	}
	close(alive[0]);
	return sandbox_wait(pid, NULL, NULL);
}

static int judge(const struct child_end *end, const struct sandbox_report *report, struct err *e)
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
	scope_start struct start start = START(s);
	struct child_spec spec = {.main = outside,
	                          .ctx = &start,
	                          .in = -1,
	                          .out_max = OUTPUT_MAX,
	                          .err_max = OUTPUT_MAX,
	                          .deadline = s->deadline,
	                          .line = s->line,
	                          .line_ctx = s->line_ctx};
	struct child_end end;
	int r = start_open(&start, false, e);

	if (r < 0)
		return r;
	r = child_run(&spec, a, &end, e);
	if (r < 0)
		return r;
	return judge(&end, start.report_here, e);
}

/* ---- inspecting an image ---- */

static void signals(const int *list, size_t n, void (*handler)(int))
{
	for (size_t i = 0; i < n; i++)
		signal(list[i], handler);
}

/* Signals from the terminal are for the program; signals that end us also end it. */
static const int from_keys[] = {SIGINT, SIGQUIT}, to_end[] = {SIGTERM, SIGHUP};

static volatile sig_atomic_t ended_by;
static volatile pid_t attached;

static void end(int sig)
{
	ended_by = sig;
	if (attached > 0)
		kill(attached, SIGKILL);
}

static _Noreturn void attached_main(const struct start *s, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signals(to_end, ARRAY_LEN(to_end), SIG_DFL);
	umask(022);
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	_exit(outside((void *)(uintptr_t)s));
}

static int attach(const struct start *s, int *ret_status, struct err *e)
{
	pid_t parent = getpid();
	int st;

	ended_by = 0;
	signals(from_keys, ARRAY_LEN(from_keys), SIG_IGN);
	signals(to_end, ARRAY_LEN(to_end), end);
	attached = fork();
	if (attached == 0)
		attached_main(s, parent);
	if (attached < 0)
		return err_errno(e, errno, "starting a process");
	if (ended_by) /* a signal between fork and here */
		kill(attached, SIGKILL);
	while (waitpid(attached, &st, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "waiting for a process");
	attached = 0;
	*ret_status = ended_by        ? 128 + (int)ended_by
	              : WIFEXITED(st) ? WEXITSTATUS(st)
	                              : 128 + WTERMSIG(st);
	return 0;
}

int sandbox_exec(const struct sandbox *s, const char *const *argv, const char *const *env,
                 int *ret_status, struct err *e)
{
	struct sandbox_program program = {argv, env};
	struct sandbox box = {.layers = s->layers,
	                      .dir = s->dir,
	                      .network = s->network,
	                      .job = &sandbox_program,
	                      .arg = &program};
	/* A command stays in our process group, so that keys reach it and ^Z stops all of us. */
	bool terminal = !*argv && isatty(STDIN_FILENO);
	scope_start struct start start = START(&box);
	int r = start_open(&start, terminal, e), status = 0;

	if (r < 0)
		return r;
	r = attach(&start, &status, e);
	if (terminal)
		sandbox_take_terminal();
	if (r < 0)
		return r;
	if (start.report_here->failed) {
		*e = start.report_here->err;
		return -e->no;
	}
	*ret_status = status;
	return 0;
}
