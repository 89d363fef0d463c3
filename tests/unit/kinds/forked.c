/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for systemd: starts, watches and ends the daemons of unit files. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/scope.h"
#include "forked.h"
#include "os/process.h"

#define UNITS    "/run/hpc-node/units"
#define ENV_MAX  (1 << 16) /* bytes of an environment file */
#define STOP_MS  10000     /* from SIGTERM to SIGKILL */
#define KILL_MS  2000      /* from SIGKILL to giving up */
#define EARLY_MS 50        /* a simple service that dies sooner has failed to start */
#define LOG_TAIL 8192      /* bytes of what a daemon printed last */
#define PID_MS   5000      /* for a forking daemon to write its PIDFile= */

static int failed(const char *unit, enum reason reason, int no, struct err *e, const char *why,
                  const char *detail)
{
	return err_set(e, ERR_HOST, reason, no, "starting '%s': %s%s%s", unit, why,
	               *detail ? ": " : "", detail);
}

/* ---- the process ---- */

static const char *unit_path(const char *unit, const char *suffix, char out[static 400])
{
	snprintf(out, 400, UNITS "/%s.%s", unit, suffix);
	return out;
}

static int remember(struct host *h, const char *unit, pid_t pid, struct process_tree *ret,
                    struct err *e)
{
	struct file_attr attr = {.mode = 0644};
	char path[400], text[64];

	process_tree_of(pid, false, ret);
	int n = snprintf(text, sizeof text, "%d %llu\n", (int)pid, ret->born);
	return file_replace(h->root_fd, unit_path(unit, "pid", path), text, (size_t)n, &attr, e);
}

/* False: we never started it, or stopped it. */
static bool recall(struct host *h, const char *unit, struct process_tree *ret)
{
	scope_arena struct arena *a = arena_new();
	struct blob text = {0};
	struct err ignored;
	char path[400];

	*ret = (struct process_tree){0};
	return file_read(h->root_fd, unit_path(unit, "pid", path), 64, a, &text, &ignored) == 0 &&
	       text.len && sscanf(text.data, "%d %llu", &ret->leader, &ret->born) == 2;
}

/* True: it ended; false: the deadline came first. */
static bool wait_end(const struct process_tree *t, uint64_t deadline)
{
	scope_fd int fd = (int)syscall(SYS_pidfd_open, t->leader, 0);
	struct pollfd p = {fd, POLLIN, 0};

	if (fd < 0 || !process_tree_alive(t))
		return true;
	while (!clock_passed(deadline)) {
		int r = poll(&p, 1, (int)clock_min(clock_left_ms(deadline), 60000));
		if (r > 0)
			return true;
		if (r < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* KillMode=process spares what the daemon has started, as slurmd's job steps must be. */
static void end(const struct process_tree *t, bool all, int sig)
{
	if (all)
		process_tree_signal(t, sig);
	else
		kill(t->leader, sig);
}

static int stop(struct host *h, const char *unit, const struct forked_file *f, uint64_t deadline,
                struct err *e)
{
	bool all = !str_eq(f->kill_mode, "process");
	struct process_tree t;
	char path[400];

	if (recall(h, unit, &t) && process_tree_alive(&t)) {
		end(&t, all, SIGTERM);
		if (!wait_end(&t, clock_min(deadline, clock_in_ms(STOP_MS)))) {
			end(&t, all, SIGKILL);
			if (!wait_end(&t, clock_in_ms(KILL_MS)))
				return err_set(e, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT,
				               "stopping '%s': process %d does not end", unit,
				               t.leader);
		}
		if (all)
			process_tree_signal(&t, SIGKILL);
	}
	scope_fd int dir = file_open(h->root_fd, UNITS, O_PATH | O_DIRECTORY, 0);
	snprintf(path, sizeof path, "%s.pid", unit);
	if (dir >= 0)
		unlinkat(dir, path, 0);
	return 0;
}

/* ---- what it needs ---- */

struct launch {
	struct host *host;
	const char *unit;
	struct forked_file file;
	struct forked_list env;
	struct arena *arena;
	uint64_t deadline;
};

static bool condition_holds(struct host *h, const struct forked_file *f)
{
	for (size_t i = 0; i < f->conditions.n; i++) {
		const char *path = f->conditions.items[i];
		bool negated = *path == '!';

		if (host_exists(h, path + negated) == negated)
			return false;
	}
	return true;
}

static int own_dir(struct host *h, const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	int r = host_make_dirs(h->root_fd, path);

	if (r < 0)
		return r;
	scope_fd int fd = file_open(h->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	return fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

static int make_dirs(struct launch *l, struct err *e)
{
	const struct forked_file *f = &l->file;
	const struct {
		const struct forked_list *names;
		const char *below;
	} kinds[] = {{&f->runtime, "/run"},
	             {&f->state, "/var/lib"},
	             {&f->cache, "/var/cache"},
	             {&f->logs, "/var/log"}};
	struct host_owner owner = {f->user, f->group};
	struct host_user user = {0};
	unsigned mode = 0755;
	uid_t uid;
	gid_t gid;
	int r = host_owner_ids(l->host, &owner, &uid, &gid, e);

	if (r >= 0 && f->user && !f->group)
		r = host_user(l->host, f->user, l->arena, &user, e);
	if (r < 0)
		return r;
	if (f->user && !f->group)
		gid = user.gid;
	if (f->runtime_mode && str_mode(f->runtime_mode, &mode) < 0)
		mode = 0755;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < kinds[k].names->n; i++) {
			const char *path = arena_printf(l->arena, "%s/%s", kinds[k].below,
			                                kinds[k].names->items[i]);

			r = own_dir(l->host, path, k == 0 ? mode : 0755, uid, gid);
			if (r < 0)
				return err_errno(e, -r, "creating '%s'", path);
		}
	return 0;
}

static int make_env(struct launch *l, struct err *e)
{
	const struct forked_file *f = &l->file;
	struct arena *a = l->arena;
	struct blob text;

	forked_set(&l->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", a);
	forked_set(&l->env, "LANG=C.UTF-8", a);
	for (size_t i = 0; i < f->environment.n; i++)
		forked_set(&l->env, f->environment.items[i], a);
	for (size_t i = 0; i < f->environment_files.n; i++) {
		const char *path = f->environment_files.items[i];
		bool optional = *path == '-';

		int r = file_read(l->host->root_fd, path + optional, ENV_MAX, a, &text, e);
		if (r < 0 && !optional)
			return r;
		if (r >= 0 && text.len)
			forked_environment(text.data, a, &l->env);
	}
	return 0;
}

/* ---- starting ---- */

static int command(struct launch *l, const char *line, struct host_exec *x, bool *ignore,
                   struct err *e)
{
	const char **env = arena_array(l->arena, l->env.n + 1, sizeof *env);

	memcpy(env, l->env.items, l->env.n * sizeof *env);
	*x = (struct host_exec){
	        .argv = forked_command(line, &l->env, l->arena, ignore),
	        .env = env,
	        .cwd = l->file.directory,
	        .user = l->file.user,
	        .deadline = l->deadline,
	};
	if (!x->argv || !x->argv[0] || strchr(line, '%'))
		return failed(l->unit, REASON_UNIT_FAILED, ENOTSUP, e,
		              "not a command line that can be run without systemd", line);
	return 0;
}

static int run_all(struct launch *l, const struct forked_list *lines, struct err *e)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct host_result res;
		struct host_exec x;
		bool ignore;
		int r = command(l, lines->items[i], &x, &ignore, e);

		if (r < 0)
			return r;
		r = host_run_ok(l->host, &x, l->arena, &res, e);
		if (r < 0 && !ignore) {
			if (e->reason != REASON_HOST_EXEC)
				e->reason =
				        r == -ETIMEDOUT ? REASON_UNIT_TIMEOUT : REASON_UNIT_FAILED;
			return err_wrap(e, "starting '%s'", l->unit);
		}
	}
	return 0;
}

static struct blob fork_words(struct host *h, const char *unit, struct arena *a)
{
	char path[400];
	scope_fd int fd = file_open(h->root_fd, unit_path(unit, "log", path), O_RDONLY, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return (struct blob){"", 0};
	char *tail = arena_alloc(a, LOG_TAIL + 1);
	off_t from = st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0;
	ssize_t n = pread(fd, tail, LOG_TAIL, from);
	return (struct blob){tail, n > 0 ? (size_t)n : 0};
}

static const char *log_words(struct launch *l)
{
	char line[300];

	host_last_line(fork_words(l->host, l->unit, l->arena), line, sizeof line);
	return arena_strdup(l->arena, line);
}

static int died(struct launch *l, struct err *e)
{
	return failed(l->unit, REASON_UNIT_FAILED, EIO, e, "it failed (exit-code)", log_words(l));
}

static int notify_socket(struct launch *l, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char path[400];

	unit_path(l->unit, "notify", path);
	if (strlen(path) >= sizeof at.sun_path)
		return err_errno(e, ENAMETOOLONG, "starting '%s'", l->unit);
	memcpy(at.sun_path, path, strlen(path) + 1);
	scope_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlink(path);
	/* Open to all: the daemon may have become another user. The directory is root's. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || chmod(path, 0666) < 0)
		return err_errno(e, errno, "starting '%s'", l->unit);
	forked_set(&l->env, arena_printf(l->arena, "NOTIFY_SOCKET=%s", path), l->arena);
	return steal_fd(&fd);
}

/* 1: READY=1 came; 0: it died first; -ETIMEDOUT. */
static int wait_ready(int fd, const struct process_tree *t, uint64_t deadline)
{
	char text[4096];

	while (!clock_passed(deadline)) {
		struct pollfd p = {fd, POLLIN, 0};
		int r = poll(&p, 1, (int)clock_min(clock_left_ms(deadline), EARLY_MS));
		ssize_t n = r > 0 ? recv(fd, text, sizeof text - 1, 0) : 0;

		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, "READY=1"))
			return 1;
		if (n <= 0 && !process_tree_alive(t))
			return 0;
	}
	return -ETIMEDOUT;
}

/* In the child, which goes on when the test doesn't wait for it any more. */
static void become(const struct host_exec *x, const struct host_user *u, const char *log)
{
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		return;
	if (u->name &&
	    (setgroups(u->n_groups, u->groups) < 0 || setgid(u->gid) < 0 || setuid(u->uid) < 0))
		return;
	if (chdir(x->cwd ? x->cwd : "/") < 0)
		return;
	execve(x->argv[0], (char **)(uintptr_t)x->argv, (char **)(uintptr_t)x->env);
	dprintf(2, "%s: %s\n", x->argv[0], strerror(errno));
}

static int spawn(struct launch *l, const struct host_exec *x, const char *log, pid_t *ret,
                 struct err *e)
{
	struct host_user user = {0};
	int r = x->user ? host_user(l->host, x->user, l->arena, &user, e) : 0;

	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid < 0)
		return err_errno(e, errno, "starting '%s'", l->unit);
	if (pid == 0) {
		become(x, &user, log);
		_exit(127);
	}
	*ret = pid;
	return 0;
}

static int start_daemon(struct launch *l, bool notify, struct err *e)
{
	scope_fd int ready = notify ? notify_socket(l, e) : -1;
	char log[400];
	struct process_tree t;
	struct host_exec x;
	bool ignore;
	pid_t pid;

	if (notify && ready < 0)
		return ready;
	unlink(unit_path(l->unit, "log", log));
	int r = command(l, l->file.start.items[0], &x, &ignore, e);
	if (r >= 0)
		r = spawn(l, &x, log, &pid, e);
	if (r >= 0)
		r = remember(l->host, l->unit, pid, &t, e);
	if (r < 0)
		return r;
	if (!notify)
		return wait_end(&t, clock_in_ms(EARLY_MS)) ? died(l, e) : 0;

	r = wait_ready(ready, &t, l->deadline);
	if (r > 0)
		return 0;
	if (r == 0)
		return died(l, e);
	r = stop(l->host, l->unit, &l->file, clock_in_ms(KILL_MS), e);
	return r < 0 ? r
	             : failed(l->unit, REASON_UNIT_TIMEOUT, ETIMEDOUT, e,
	                      "it did not say that it is ready by the deadline", log_words(l));
}

static int start_forking(struct launch *l, struct err *e)
{
	uint64_t deadline = clock_min(l->deadline, clock_in_ms(PID_MS));
	struct process_tree t;
	struct blob text;
	uint64_t pid;
	int r;

	if (!l->file.pid_file)
		return failed(l->unit, REASON_UNIT_FAILED, ENOTSUP, e,
		              "Type=forking without PIDFile= needs systemd", "");
	r = run_all(l, &l->file.start, e);
	if (r < 0)
		return r;
	do {
		if (file_read(l->host->root_fd, l->file.pid_file, 64, l->arena, &text, e) < 0 ||
		    !text.len)
			continue;
		const char *digits =
		        arena_memdup(l->arena, text.data, strspn(text.data, "0123456789"));
		if (str_u64(digits, 2, INT32_MAX, &pid) == 0) {
			r = remember(l->host, l->unit, (pid_t)pid, &t, e);
			if (r < 0 || process_tree_alive(&t))
				return r;
		}
	} while (clock_sleep_ms(20, deadline));
	return failed(l->unit, REASON_UNIT_FAILED, ESRCH, e,
	              "no living process in its PIDFile=", l->file.pid_file);
}

static int start(struct launch *l, struct err *e)
{
	const char *type = l->file.type ? l->file.type : "simple";
	int r = host_make_dirs(l->host->root_fd, UNITS);

	if (r < 0)
		return err_errno(e, -r, "creating '%s'", UNITS);
	if (!condition_holds(l->host, &l->file))
		return failed(l->unit, REASON_UNIT_SKIPPED, ECOMM, e,
		              "a condition of the unit does not hold", "");
	r = make_dirs(l, e);
	if (r >= 0)
		r = make_env(l, e);
	if (r >= 0)
		r = run_all(l, &l->file.start_pre, e);
	if (r < 0)
		return r;
	if (str_eq(type, "oneshot"))
		return run_all(l, &l->file.start, e);
	if (!l->file.start.n)
		return failed(l->unit, REASON_UNIT_FAILED, ENOTSUP, e, "it has no ExecStart=", "");
	if (str_eq(type, "forking"))
		return start_forking(l, e);
	if (str_starts(type, "notify"))
		return start_daemon(l, true, e);
	if (str_eq(type, "simple") || str_eq(type, "exec") || str_eq(type, "idle"))
		return start_daemon(l, false, e);
	return failed(l->unit, REASON_UNIT_FAILED, ENOTSUP, e, "its type needs systemd", type);
}

/* ---- the operations ---- */

static int fork_act(struct host *h, const char *unit, enum host_unit_action action,
                    uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct launch l = {.host = h, .unit = unit, .arena = a, .deadline = deadline};
	int r = forked_file_load(h, unit, a, &l.file, e);

	if (r >= 0)
		r = stop(h, unit, &l.file, deadline, e);
	if (r < 0 || action == HOST_UNIT_STOP)
		return r;
	if (!str_ends(unit, ".service"))
		return failed(unit, REASON_UNIT_FAILED, ENOTSUP, e,
		              "only services can be started without systemd", "");
	return start(&l, e);
}

static int fork_state(struct host *h, const char *unit, struct host_unit_state *ret,
                      uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct forked_file f;
	struct process_tree t;
	int r = unit_image_state(h, unit, ret, deadline, e);

	if (r >= 0)
		r = forked_file_load(h, unit, a, &f, e);
	if (r < 0)
		return r;
	ret->condition = condition_holds(h, &f);
	if (!recall(h, unit, &t))
		return 0;
	struct stat st;
	struct err ignored;
	char path[400];
	if (host_stat(h, unit_path(unit, "pid", path), &st, &ignored) == 0)
		ret->started_us =
		        (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
	ret->active = process_tree_alive(&t);
	ret->failed = !ret->active;
	snprintf(ret->active_state, sizeof ret->active_state, "%s",
	         ret->active ? "active" : "failed");
	snprintf(ret->sub_state, sizeof ret->sub_state, "%s", ret->active ? "running" : "failed");
	snprintf(ret->result, sizeof ret->result, "%s", ret->active ? "success" : "exit-code");
	return 0;
}

const struct unit_ops forked_units = {fork_state, fork_act, unit_image_enable, unit_image_reload,
                                      fork_words};
