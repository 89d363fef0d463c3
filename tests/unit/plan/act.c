/* SPDX-License-Identifier: Apache-2.0 */
/* What steps do on the stage. All of this runs in children of the engine. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* ---- traces ---- */

static const char *trace_path(const struct step_ctx *c, const char *name)
{
	return arena_printf(c->arena, "%s/%s", vars_get(c->facts, "dir"), name);
}

static void leave(const struct step_ctx *c, const char *name, long number)
{
	const char *path = trace_path(c, name);
	char temp[4200], text[32];
	int n = snprintf(text, sizeof text, "%ld", number);

	snprintf(temp, sizeof temp, "%s.new%d", path, (int)getpid());
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd) < 0 || rename(temp, path) < 0)
		_exit(99);
}

static long count(const struct step_ctx *c, const char *name)
{
	long n = stage_number(trace_path(c, name)) + 1;

	n = n > 0 ? n : 1;
	leave(c, name, n);
	return n;
}

/* ---- what steps do ---- */

static _Noreturn void hang(void)
{
	for (;;)
		pause();
}

static int act_hang(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	(void)e;
	hang();
}

static int run_shell(const struct step_ctx *c, const char *script, struct err *e)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	const struct host_exec x = {.argv = argv, .changes = true, .deadline = c->deadline};
	struct host_result res;

	return host_run_ok(c->host, &x, c->arena, &res, e);
}

/* A program that outlives any deadline, and says when it runs. */
static int act_program(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	const char *script =
	        arena_printf(c->arena, "echo $$ >%s; exec sleep 1000", trace_path(c, "program"));

	(void)t;
	return run_shell(c, script, e);
}

/* Its own child has left group and session, and its parent is gone. */
static int act_escape(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	const char *script = arena_printf(
	        c->arena, "setsid sh -c 'echo $$ >%s.new; mv %s.new %s; exec sleep 1000' & exit 0",
	        trace_path(c, "escaped"), trace_path(c, "escaped"), trace_path(c, "escaped"));

	(void)t;
	if (run_shell(c, script, e) < 0)
		return -EIO;
	stage_wait_file(trace_path(c, "escaped"));
	hang();
}

static int act_kill(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	(void)e;
	kill(getpid(), SIGKILL);
	hang();
}

static int act_exit(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	(void)e;
	_exit(3);
}

static int act_write(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	static const struct host_owner root = {0};
	const char *path = arena_printf(c->arena, "/%s", t->name);

	return host_write(c->host, path, (struct blob){"x", 1}, 0644, &root, e);
}

/* And something else where a file is. */
static int act_rewrite(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	static const struct host_owner root = {0};
	int r = act_write(c, t, e);

	return r < 0 ? r : host_write(c->host, "/given", (struct blob){"new\n", 4}, 0644, &root, e);
}

static int act_nothing(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	(void)e;
	return 0;
}

static int act_denied(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	return err_set(e, ERR_DENIED, REASON_MOUNT_REFUSED, EACCES, "asking: refused");
}

static int act_silent(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)c;
	(void)t;
	(void)e;
	return -ENOTTY;
}

/* Fails `times` times, then does what is asked. */
static int fail_at_first(const struct step_ctx *c, const struct thing *t, enum err_kind kind,
                         struct err *e)
{
	long n = count(c, "tries");

	if (n <= t->times)
		return err_set(e, kind, REASON_HOST_FILE, EAGAIN, "try number %ld", n);
	return act_write(c, t, e);
}

static int act_fail(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	return fail_at_first(c, t, ERR_HOST, e);
}

static int act_unreachable(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	return fail_at_first(c, t, ERR_RETRY, e);
}

/* Does what is asked, and fails all the same: the next try finds it done. */
static int act_write_then_fail(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	int r = act_write(c, t, e);

	return r < 0 ? r : err_set(e, ERR_HOST, REASON_HOST_FILE, EAGAIN, "done, and failed");
}

static int act_fail_then_die(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	long n = count(c, "tries");

	(void)t;
	if (n > 1)
		_exit(3);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EAGAIN, "try number %ld", n);
}

static int act_flood(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)t;
	while (!clock_passed(c->deadline + GUARD_MS * UINT64_C(1000000)))
		log_info("and on");
	return err_set(e, ERR_BUG, REASON_BUG, ETIME, "nobody ended it");
}

static int act_chatter(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	static const struct host_owner root = {0};

	for (long i = 0; i < t->times; i++) {
		const char *path = arena_printf(c->arena, "/chatter-%ld", i);

		log_info("line %ld", i);
		if (host_write(c->host, path, (struct blob){"x", 1}, 0644, &root, e) < 0)
			return -EIO;
	}
	return act_write(c, t, e);
}

/* Goes on only when `times` steps are here at once. */
static int act_meet(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	leave(c, arena_printf(c->arena, "here-%s", t->name), 1);
	for (long i = 1; i <= t->times; i++)
		if (!stage_wait_file(trace_path(c, arena_printf(c->arena, "here-%ld", i))))
			return err_set(e, ERR_BUG, REASON_BUG, ETIME, "nobody came");
	return act_write(c, t, e);
}

/* The most steps that were here at once. */
static int act_crowd(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	long here = 0;

	leave(c, arena_printf(c->arena, "crowd-%s", t->name), 1);
	for (long i = 1; i <= t->times; i++)
		here += access(trace_path(c, arena_printf(c->arena, "crowd-%ld", i)), F_OK) == 0;
	clock_sleep_ms(5, CLOCK_NEVER);
	unlink(trace_path(c, arena_printf(c->arena, "crowd-%s", t->name)));
	if (here > stage_number(trace_path(c, "most")))
		leave(c, "most", here);
	return act_write(c, t, e);
}

static int act_surroundings(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	int death = 0, reaper = 0;
	struct sigaction usr1;

	prctl(PR_GET_PDEATHSIG, &death);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	sigaction(SIGUSR1, NULL, &usr1);
	leave(c, "group", getpgid(0) == getpid());
	leave(c, "death", death);
	leave(c, "reaper", reaper);
	leave(c, "handler", usr1.sa_handler == SIG_DFL);
	leave(c, "left-ms", (long)clock_left_ms(c->deadline));
	return act_write(c, t, e);
}

/* Is traced by somebody who never lets go, so that even SIGKILL doesn't get rid of it. */
static int act_traced(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	(void)t;
	(void)e;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	leave(c, "trace-me", getpid());
	stage_wait_file(trace_path(c, "traced"));
	hang();
}

/* From here on the kernel has no memory for this child's next `times` packets. */
static long lost_packets;

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	if (lost_packets > 0 && lost_packets--) {
		errno = ENOBUFS;
		return -1;
	}
	return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

static int act_unheard(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	int r = act_write(c, t, e);

	lost_packets = t->times;
	return r;
}

static int act_escapes(const struct step_ctx *c, const struct thing *t, struct err *e)
{
	static const struct host_owner root = {0};
	int r = act_write(c, t, e);

	if (r < 0)
		return r;
	return host_write(c->host, "/\x1b[31mred", (struct blob){"x", 1}, 0644, &root, e);
}

static const struct {
	const char *name;
	int (*apply)(const struct step_ctx *c, const struct thing *t, struct err *e);
} acts[] = {
        {"write", act_write},
        {"rewrite", act_rewrite},
        {"hang", act_hang},
        {"program", act_program},
        {"escape", act_escape},
        {"kill", act_kill},
        {"exit", act_exit},
        {"nothing", act_nothing},
        {"denied", act_denied},
        {"silent", act_silent},
        {"fail", act_fail},
        {"chatter", act_chatter},
        {"unreachable", act_unreachable},
        {"meet", act_meet},
        {"crowd", act_crowd},
        {"traced", act_traced},
        {"surroundings", act_surroundings},
        {"flood", act_flood},
        {"fail-then-die", act_fail_then_die},
        {"unheard", act_unheard},
        {"escapes", act_escapes},
        {"write-then-fail", act_write_then_fail},
};

int act_apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct thing *t = fields;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (str_eq(acts[i].name, t->act))
			return acts[i].apply(c, t, e);
	_exit(98);
}

/* Holds when it always did, or when it was written. */
int act_probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct thing *t = fields;

	leave(c, arena_printf(c->arena, "pid-%s", t->name), getpid());
	if (str_eq(t->act, "probe-hangs"))
		hang();
	if (str_eq(t->act, "probe-unreachable"))
		return err_set(e, ERR_RETRY, REASON_HTTP_UNREACHABLE, ETIMEDOUT, "no answer");
	if (!t->act)
		return 1;
	return host_exists(c->host, arena_printf(c->arena, "/%s", t->name));
}
