/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one child process under a deadline, and ends what it started. */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/scope.h"
#include "os/process.h"

#define TERM_GRACE_MS 2000
#define KILL_GRACE_MS 2000
#define ENDING_MS     25 /* between checks for living processes */
#define LINE_LEN      1024
#define READS_MAX     64 /* chunks taken at once from a pipe, so that a chatterer can't hold us */

/* One captured stream: the first `max` bytes, or a ring of the last `max`. */
struct capture {
	int fd; /* -1: ended */
	char *data;
	size_t max, len;
	bool ring;
	uint64_t total;
	const struct child_spec *spec;
	char line[LINE_LEN + 1]; /* the current, incomplete line */
	size_t line_len;
};

struct running {
	pid_t pid;
	int pidfd;
	bool exited;
	struct process_tree tree;
	struct capture out, err;
};

void *child_share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void child_unshare(void *shared, size_t size)
{
	munmap(shared, size);
}

/* ---- in the child: only what fork(2) allows, until the caller's main runs ---- */

static int onto(int fd, int std)
{
	if (fd != std)
		return dup2(fd, std);
	return fcntl(fd, F_SETFD, 0); /* it was close-on-exec */
}

static _Noreturn void child_main(const struct child_spec *s, pid_t parent, int out, int err)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);

	int in_fd = s->in >= 0 ? s->in : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in_fd < 0 || onto(in_fd, 0) < 0 || onto(out, 1) < 0 || onto(err, 2) < 0)
		_exit(127);
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	_exit(s->main(s->ctx));
}

/* ---- in the parent ---- */

static void keep(struct capture *c, const char *data, size_t len)
{
	if (!c->max)
		return;
	c->total += len;
	if (!c->ring) {
		size_t n = len < c->max - c->len ? len : c->max - c->len;
		memcpy(c->data + c->len, data, n);
		c->len += n;
		return;
	}
	for (size_t i = 0; i < len; i++)
		c->data[(c->total - len + i) % c->max] = data[i];
	c->len = c->total < c->max ? (size_t)c->total : c->max;
}

static void end_line(struct capture *c)
{
	c->line[c->line_len] = '\0';
	c->line_len = 0;
	c->spec->line(c->spec->line_ctx, c->line);
}

static void pass_lines(struct capture *c, const char *data, size_t len)
{
	for (size_t i = 0; c->spec->line && i < len; i++) {
		if (data[i] != '\n')
			c->line[c->line_len++] = data[i];
		if (data[i] == '\n' || c->line_len == LINE_LEN)
			end_line(c);
	}
}

static void capture_read(struct capture *c)
{
	char chunk[16384];

	for (int i = 0; c->fd >= 0 && i < READS_MAX; i++) {
		ssize_t n = read(c->fd, chunk, sizeof chunk);

		if (n > 0) {
			keep(c, chunk, (size_t)n);
			pass_lines(c, chunk, (size_t)n);
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			scope_close(&c->fd);
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static struct blob capture_text(const struct capture *c, struct arena *a)
{
	char *text = arena_alloc(a, c->len + 1);
	size_t from = c->ring && c->total > c->max ? (size_t)(c->total % c->max) : 0;

	memcpy(text, c->data + from, c->len - from);
	memcpy(text + c->len - from, c->data, from);
	return (struct blob){text, c->len};
}

/* Waits for output, the child's end, or `until`, whichever is first. */
static void wait_event(struct running *r, uint64_t until)
{
	struct pollfd fds[] = {
	        {r->exited ? -1 : r->pidfd, POLLIN, 0},
	        {r->out.fd, POLLIN, 0},
	        {r->err.fd, POLLIN, 0},
	};
	uint64_t ms = clock_left_ms(until);

	if (poll(fds, ARRAY_LEN(fds), ms > 60000 ? 60000 : (int)ms) < 0)
		return;
	capture_read(&r->out);
	capture_read(&r->err);
	if (fds[0].revents)
		r->exited = true;
}

/* True: everything is gone; false: something survived SIGKILL. */
static bool end_tree(struct running *r)
{
	static const struct {
		int sig, again; /* the first signal, and the one for processes found later */
		uint64_t grace_ms;
	} rounds[] = {{SIGTERM, 0, TERM_GRACE_MS}, {SIGKILL, SIGKILL, KILL_GRACE_MS}};

	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		uint64_t until = clock_in_ms(rounds[i].grace_ms);
		int sig = rounds[i].sig;

		do {
			if (process_tree_signal(&r->tree, sig) == 0 && r->exited)
				return true;
			sig = rounds[i].again;
			wait_event(r, clock_min(until, clock_in_ms(ENDING_MS)));
		} while (!clock_passed(until));
	}
	return false;
}

static void watch(struct running *r, uint64_t deadline, struct child_end *ret)
{
	while (!r->exited && !clock_passed(deadline))
		wait_event(r, deadline);
	if (!r->exited) {
		ret->timed_out = true;
		ret->abandoned = !end_tree(r);
	}
	/* Reads what it wrote just before its end, but not what its descendants may still write. */
	capture_read(&r->out);
	capture_read(&r->err);
	if (r->out.line_len)
		end_line(&r->out);
	if (r->err.line_len)
		end_line(&r->err);
}

static void reap(pid_t pid, struct child_end *ret)
{
	int status = 0;
	pid_t r;

	do {
		r = waitpid(pid, &status, WNOHANG);
	} while (r < 0 && errno == EINTR);
	if (r != pid)
		return;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret->status = ret->signal ? 128 + ret->signal : WEXITSTATUS(status);
}

static int pipe_to(const struct child_spec *s, struct capture *c, bool ring, struct arena *a,
                   int *ret_write)
{
	size_t max = ring ? s->err_max : s->out_max;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* The child's end of the pipe stays blocking: programs don't expect EAGAIN
	 * on their stdout. */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*c = (struct capture){
	        .fd = fds[0], .data = arena_alloc(a, max), .max = max, .ring = ring, .spec = s};
	*ret_write = fds[1];
	return 0;
}

static int start(const struct child_spec *s, struct arena *a, struct running *r)
{
	scope_fd int out = -1, err = -1;
	pid_t self = getpid();
	int no = pipe_to(s, &r->out, false, a, &out);

	if (no == 0)
		no = pipe_to(s, &r->err, true, a, &err);
	if (no < 0)
		return no;
	r->pid = fork();
	if (r->pid < 0)
		return -errno;
	if (r->pid == 0)
		child_main(s, self, out, err);
	setpgid(r->pid, r->pid); /* parent and child both do it, either may be first */
	process_tree_of(r->pid, true, &r->tree);
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd >= 0)
		return 0;
	no = errno;
	kill(-r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	return -no;
}

int child_run(const struct child_spec *s, struct arena *a, struct child_end *ret, struct err *e)
{
	scope_arena struct arena *own = arena_new();
	struct running r = {.pidfd = -1, .out.fd = -1, .err.fd = -1};
	struct child_end end = {.status = -1};
	int was_subreaper = 0;

	prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int no = start(s, own, &r);
	if (no == 0) {
		watch(&r, s->deadline, &end);
		if (r.exited)
			reap(r.pid, &end);
		end.out = capture_text(&r.out, a);
		end.errout = capture_text(&r.err, a);
	}
	prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
	scope_close(&r.out.fd);
	scope_close(&r.err.fd);
	scope_close(&r.pidfd);
	if (no < 0)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, -no, "starting a process: %s",
		               strerror(-no));
	*ret = end;
	return 0;
}
