/* SPDX-License-Identifier: Apache-2.0 */
/* Runs programs inside a host's root: as which user, in which environment, with what result. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/scope.h"
#include "host/host_own.h"
#include "os/child.h"

#define OUT_MAX    (256 << 10)
#define ERR_MAX    (16 << 10)
#define RECORD_LEN 1024 /* bytes of a recorded command line */

#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Everything the child needs, prepared before the fork. `no` and `stage` are its report. */
struct job {
	bool chroot;
	int root_fd, exec_fd;
	const char *const *argv;
	const char *const *env;
	const char *const *files; /* candidates for argv[0], NULL-terminated */
	const char *cwd;
	const struct host_user *user;
	struct job_report {
		int no;
		char stage[32];
	} * report;
};

static void report_close(struct job_report **report)
{
	if (*report)
		child_unshare(*report, sizeof **report);
}
#define scope_report __attribute__((cleanup(report_close)))

static int failed(const struct job *j, const char *stage)
{
	j->report->no = errno;
	snprintf(j->report->stage, sizeof j->report->stage, "%s", stage);
	return 127;
}

static int become(const struct host_user *u)
{
	if (setgroups(u->n_groups, u->groups) < 0 || setresgid(u->gid, u->gid, u->gid) < 0)
		return -1;
	return setresuid(u->uid, u->uid, u->uid);
}

/* As execvp(3): tries the next directory only if the file isn't there or can't be run. */
static void exec_first(const struct job *j)
{
	int worst = ENOENT;

	for (const char *const *f = j->files; *f; f++) {
		execve(*f, (char **)(uintptr_t)j->argv, (char **)(uintptr_t)j->env);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return;
		if (errno == EACCES)
			worst = EACCES;
	}
	errno = worst;
}

static int job_main(void *ctx)
{
	const struct job *j = ctx;

	if (j->chroot && (fchdir(j->root_fd) < 0 || chroot(".") < 0))
		return failed(j, "entering the root");
	if (j->user && become(j->user) < 0)
		return failed(j, "becoming the user");
	/* A change of ids resets it, prctl(2). */
	if (j->user)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(j->cwd) < 0)
		return failed(j, "entering the directory");
	if (j->exec_fd > 0) {
		/* Not close-on-exec: the interpreter of a script opens it as /dev/fd/N. */
		fcntl(j->exec_fd, F_SETFD, 0);
		syscall(SYS_execveat, j->exec_fd, "", j->argv, j->env, AT_EMPTY_PATH);
	} else {
		exec_first(j);
	}
	return failed(j, "");
}

static const char *const *candidates(const char *name, struct arena *a)
{
	const char **list = arena_array(a, 8, sizeof *list);
	size_t n = 0;

	if (strchr(name, '/')) {
		list[0] = name;
		return list;
	}
	for (const char *dir = SEARCH_PATH; *dir && n < 7; dir += *dir == ':') {
		int len = (int)strcspn(dir, ":");

		list[n++] = arena_printf(a, "%.*s/%s", len, dir, name);
		dir += len;
	}
	return list;
}

/* Whether the list has a variable of the same name. */
static bool has_variable(const char *const *env, const char *variable)
{
	size_t len = strcspn(variable, "=") + 1;

	for (; env && *env; env++)
		if (strncmp(*env, variable, len) == 0)
			return true;
	return false;
}

/* Programs can't tell from their root that an image they see as "/" isn't running, systemctl(1). */
static const char *const *environment(const struct host *h, const struct host_exec *x,
                                      const struct host_user *u, struct arena *a)
{
	const char *own[] = {
	        "PATH=" SEARCH_PATH,
	        "LANG=C.UTF-8",
	        arena_printf(a, "HOME=%s", u ? u->home : "/root"),
	        h->running ? NULL : "SYSTEMD_OFFLINE=1",
	        *h->epoch ? h->epoch : NULL,
	        u ? arena_printf(a, "USER=%s", u->name) : NULL,
	        u ? arena_printf(a, "LOGNAME=%s", u->name) : NULL,
	};
	size_t given = 0, n = 0;

	while (x->env && x->env[given])
		given++;
	const char **env = arena_array(a, given + ARRAY_LEN(own) + 1, sizeof *env);
	while (n < given) {
		env[n] = x->env[n];
		n++;
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i] && !has_variable(x->env, own[i]))
			env[n++] = own[i];
	return env;
}

/* A file, so that no pipe has to be fed while the program runs. -1: nothing to read. */
static int input_fd(struct blob input)
{
	if (!input.len)
		return -1;
	scope_fd int fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return -errno - 1;
	int r = file_write_all(fd, input.data, input.len);
	if (r < 0)
		return r - 1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno - 1;
	return steal_fd(&fd);
}

static bool is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_@%+=:,./-", *p))
			return false;
	return *s;
}

/* Quotes as for a shell, so that the line can be run by hand. */
static void quote(struct strbuf *line, const char *arg)
{
	if (is_plain(arg)) {
		strbuf_printf(line, " %s", arg);
		return;
	}
	strbuf_str(line, " '");
	for (; *arg; arg++) {
		if (*arg == '\'')
			strbuf_str(line, "'\\''");
		else
			strbuf_char(line, *arg);
	}
	strbuf_char(line, '\'');
}

static void record(const struct host *h, const struct host_exec *x)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf line = STRBUF(a, RECORD_LEN);

	if (x->user)
		strbuf_printf(&line, " user=%s", x->user);
	if (x->cwd)
		strbuf_printf(&line, " cwd=%s", x->cwd);
	if (x->input.len)
		strbuf_printf(&line, " stdin=%zu", x->input.len);
	for (const char *const *arg = x->argv; *arg; arg++)
		quote(&line, *arg);
	host_record(h, "run%s%s", line.data, line.overflow ? "..." : "");
}

static int timed_out(const struct host_exec *x, const struct host_result *res, struct err *e)
{
	char last[200];

	host_last_line(res->errout.len ? res->errout : res->out, last, sizeof last);
	return err_set(e, ERR_HOST, res->abandoned ? REASON_STEP_ABANDONED : REASON_STEP_TIMEOUT,
	               ETIMEDOUT, "running '%s': %s%s%s", x->argv[0],
	               res->abandoned ? "not finished by its deadline and could not be killed"
	                              : "not finished by its deadline and ended",
	               *last ? ": " : "", last);
}

static int run(struct host *h, const struct host_exec *x, const struct host_user *user,
               struct arena *a, struct host_result *ret, struct err *e)
{
	scope_arena struct arena *own = arena_new();
	scope_report struct job_report *report = child_share(sizeof *report);
	scope_fd int in = input_fd(x->input);
	struct job job = {
	        .chroot = !h->self,
	        .root_fd = h->root_fd,
	        .exec_fd = x->exec_fd,
	        .argv = x->argv,
	        .env = environment(h, x, user, own),
	        .files = candidates(x->argv[0], own),
	        .cwd = x->cwd ? x->cwd : "/",
	        .user = user,
	        .report = report,
	};
	struct child_spec spec = {.main = job_main,
	                          .ctx = &job,
	                          .in = in,
	                          .out_max = OUT_MAX,
	                          .err_max = ERR_MAX,
	                          .deadline = x->deadline,
	                          .line = x->line,
	                          .line_ctx = x->line_ctx};
	struct child_end end;

	if (!report || in < -1)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOMEM,
		               "running '%s': no memory for its input", x->argv[0]);
	int r = child_run(&spec, a, &end, e);
	if (r < 0)
		return r;
	if (report->no)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, report->no, "running '%s': %s%s%s",
		               x->argv[0], report->stage, *report->stage ? ": " : "",
		               strerror(report->no));
	*ret = (struct host_result){.status = end.status,
	                            .signal = end.signal,
	                            .timed_out = end.timed_out,
	                            .abandoned = end.abandoned,
	                            .out = end.out,
	                            .errout = end.errout};
	return end.timed_out ? timed_out(x, ret, e) : 0;
}

int host_run(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
             struct err *e)
{
	if (!x->argv || !x->argv[0] || !x->deadline)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL,
		               "running a program: no name, or no deadline");
	if (x->changes)
		record(h, x);
	if (x->changes && h->mode == HOST_DRY) {
		*ret = (struct host_result){.out = {"", 0}, .errout = {"", 0}};
		return 0;
	}
	struct host_user user;
	if (x->user) {
		int r = host_user(h, x->user, a, &user, e);
		if (r < 0)
			return err_wrap(e, "running '%s'", x->argv[0]);
	}
	return run(h, x, x->user ? &user : NULL, a, ret, e);
}

const char *host_how_ended(const struct host_result *res, char out[static HOST_HOW])
{
	const char *name = res->signal ? sigabbrev_np(res->signal) : NULL;

	if (name)
		snprintf(out, HOST_HOW, "ended by SIG%s", name);
	else if (res->signal)
		snprintf(out, HOST_HOW, "ended by signal %d", res->signal);
	else
		snprintf(out, HOST_HOW, "exit status %d", res->status);
	return out;
}

int host_run_ok(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
                struct err *e)
{
	struct host_result res;
	char last[200], how[HOST_HOW];
	int r = host_run(h, x, a, &res, e);

	if (r < 0)
		return r;
	if (res.status == 0) {
		*ret = res;
		return 0;
	}
	host_last_line(res.errout.len ? res.errout : res.out, last, sizeof last);
	return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO, "running '%s': %s%s%s",
	               x->argv[0], host_how_ended(&res, how), *last ? ": " : "", last);
}

static int run_here(const struct host_exec *x, bool ok, struct arena *a, struct host_result *ret,
                    struct err *e)
{
	struct host *here;
	int r = host_open("/", HOST_LIVE, &here, e);

	if (r < 0)
		return r;
	r = (ok ? host_run_ok : host_run)(here, x, a, ret, e);
	host_close(here);
	return r;
}

int host_run_here(const struct host_exec *x, struct arena *a, struct host_result *ret,
                  struct err *e)
{
	return run_here(x, false, a, ret, e);
}

int host_run_here_ok(const struct host_exec *x, struct arena *a, struct host_result *ret,
                     struct err *e)
{
	return run_here(x, true, a, ret, e);
}
