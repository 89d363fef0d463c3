/* SPDX-License-Identifier: Apache-2.0 */
/* The parent's side of a child: its orders, its messages, its deadline and its end. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "os/process.h"
#include "plan/run_own.h"

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_S   UINT64_C(1000000000)
#define TIMER_SLOP 1000 /* us a deadline may be late, so that timers can be combined */
#define DRAIN_MAX  1024 /* packets read in search of a result; a child may never stop sending */

static struct step_outcome *outcome(const struct worker *w)
{
	return &w->run->result.outcomes[w->step];
}

static unsigned grace_ms(const struct run *run)
{
	return run->options->grace_ms ? run->options->grace_ms : RUN_GRACE_MS;
}

static void set_timer(struct worker *w, uint64_t deadline, uint64_t after_ms)
{
	uint64_t at;

	if (__builtin_add_overflow(deadline, after_ms * NS_PER_MS, &at))
		at = deadline;
	sd_event_source_set_time(w->timer, at / NS_PER_US);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* A free slot for another child. */
static void worker_reset(struct worker *w)
{
	struct run *run = w->run;

	w->exited = sd_event_source_disable_unref(w->exited);
	w->message = sd_event_source_disable_unref(w->message);
	w->timer = sd_event_source_disable_unref(w->timer);
	scope_close(&w->pidfd);
	scope_close(&w->sock);
	*w = (struct worker){.run = run, .pidfd = -1, .sock = -1, .step = RUN_NO_STEP};
}

/* Ends a child that is idle, has ended, or has only just begun: this never takes long. */
static void worker_close(struct worker *w)
{
	struct pollfd end = {.fd = w->pidfd, .events = POLLIN};
	bool watched = w->pidfd >= 0;

	kill(w->pid, SIGKILL);
	if (watched)
		poll(&end, 1, RUN_LOST_MS);
	waitpid(w->pid, NULL, watched ? WNOHANG : 0);
	worker_reset(w);
}

void workers_close(struct run *run)
{
	struct process_tree tree;

	for (size_t i = 0; i < run->width; i++) {
		struct worker *w = &run->workers[i];

		if (!w->pid)
			continue;
		/* Only a run that failed itself leaves a child with a step. */
		if (w->step != RUN_NO_STEP) {
			process_tree_of(w->pid, false, &tree);
			process_tree_signal(&tree, SIGKILL);
		}
		worker_close(w);
	}
}

/* The step has its outcome; the child takes the next one or ends. */
static void finish(struct worker *w, bool reuse)
{
	size_t step = w->step;

	w->step = RUN_NO_STEP;
	sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (!reuse)
		worker_close(w);
	w->run->finished(w->run, step);
}

/* ---- messages of a child ---- */

/* The text is as host_record() made it: of what is printable, in one line. */
static void keep_detail(struct worker *w, struct step_outcome *o, const char *text)
{
	if (!o->changes.n || o->changes.n < o->changes_total || o->n_details == RUN_DETAILS_MAX)
		return;
	o->details = arena_grow(w->run->arena, o->details, &o->n_details, sizeof *o->details);
	o->details[o->n_details - 1] =
	        (struct step_detail){o->changes.n - 1, arena_strdup(w->run->arena, text)};
}

static void keep_change(struct worker *w, const char *text)
{
	struct step_outcome *o = outcome(w);

	if (*text == ' ') {
		keep_detail(w, o, text + 1);
		return;
	}
	if (o->changes_total++ >= RUN_CHANGES_MAX)
		return;
	o->changes.items = arena_grow(w->run->arena, o->changes.items, &o->changes.n,
	                              sizeof *o->changes.items);
	o->changes.items[o->changes.n - 1] = arena_strdup(w->run->arena, text);
}

static void pass_log(const struct worker *w, enum log_level level, const char *text)
{
	const struct step *s = w->run->plan->steps[w->step];
	const struct log_field fields[] = {{"HPC_STEP", s->id}, {"HPC_KIND", s->kind->section}};

	log_record(level, fields, ARRAY_LEN(fields), "%s: %s", s->id, text);
}

/* Whether nothing is left in it that could affect the next step. */
static bool reusable(const struct worker *w, const struct step_outcome *o)
{
	const struct kind *k = w->run->plan->steps[w->step]->kind;

	if (w->ended || w->killed || w->run->ending)
		return false;
	if (o->state == STEP_CHANGED && k->traceless)
		return true;
	return w->run->dry || o->state == STEP_OK || o->state == STEP_PENDING;
}

static void take_result(struct worker *w, const struct run_message *m)
{
	struct step_outcome *o = outcome(w);

	o->state = m->state;
	o->tries = m->tries;
	o->err = m->err;
	if (w->run->result.interrupted && o->state == STEP_FAILED) {
		err_wrap(&o->err, "interrupted");
		o->err.reason = REASON_INTERRUPTED;
	}
	finish(w, reusable(w, o));
}

static void take_message(struct worker *w, const struct run_message *m)
{
	struct step_outcome *o = outcome(w);
	char text[sizeof m->text];

	switch (m->type) {
	case RUN_RESULT:
		take_result(w, m);
		break;
	case RUN_RETRY:
		o->tries = m->tries;
		o->err = m->err;
		snprintf(text, sizeof text, "try %u failed, trying again: %s", m->tries,
		         m->err.text);
		pass_log(w, LOG_LEVEL_WARNING, text);
		break;
	case RUN_CHANGE:
		keep_change(w, m->text);
		break;
	case RUN_LOG:
		pass_log(w, m->level, m->text);
		break;
	}
}

/* One packet; false when there is none. */
static bool read_message(struct worker *w)
{
	struct run_message m = {0};
	ssize_t n = recv(w->sock, &m, sizeof m, MSG_DONTWAIT);

	if (n < (ssize_t)offsetof(struct run_message, text) || w->step == RUN_NO_STEP)
		return false;
	m.text[sizeof m.text - 1] = '\0';
	take_message(w, &m);
	return true;
}

static int on_message(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct worker *w = ctx;

	(void)fd;
	if (!read_message(w) && events & (EPOLLHUP | EPOLLERR))
		sd_event_source_set_enabled(s, SD_EVENT_OFF); /* the pidfd reports its end */
	return 0;
}

/* The result may be in transit when something else happens; true if it was. */
static bool drain(struct worker *w)
{
	const struct step_outcome *o = outcome(w);

	for (int i = 0; i < DRAIN_MAX && o->state == STEP_RUNNING; i++)
		if (!read_message(w))
			break;
	return o->state != STEP_RUNNING;
}

/* ---- a child ends ---- */

static void set_death(struct worker *w, const int *status)
{
	struct step_outcome *o = outcome(w);
	const char *id = w->run->plan->steps[w->step]->id;
	uint64_t after_s = (clock_now() - o->start_ns) / NS_PER_S;
	struct err *e = &o->err;

	if (!status)
		err_set(e, ERR_HOST, REASON_STEP_ABANDONED, ETIMEDOUT,
		        "'%s' was not done after %" PRIu64
		        " s, could not be killed and was left behind",
		        id, after_s);
	else if (w->run->result.interrupted)
		err_set(e, ERR_HOST, REASON_INTERRUPTED, ECANCELED, "interrupted: '%s' was ended",
		        id);
	else if (w->killed)
		err_set(e, ERR_HOST, REASON_STEP_TIMEOUT, ETIMEDOUT,
		        "'%s' was not done after %" PRIu64 " s and was killed", id, after_s);
	else if (WIFSIGNALED(*status))
		err_set(e, ERR_HOST, REASON_STEP_DIED, ECHILD, "'%s' died by signal %d (%s)", id,
		        WTERMSIG(*status), strsignal(WTERMSIG(*status)));
	else if (WEXITSTATUS(*status) == RUN_EXIT_UNHEARD)
		err_set(e, ERR_HOST, REASON_STEP_DIED, ENOBUFS,
		        "'%s' ended, but its result was lost: the kernel had no memory to send it",
		        id);
	else
		err_set(e, ERR_HOST, REASON_STEP_DIED, ECHILD,
		        "'%s' ended early, with exit status %d", id, WEXITSTATUS(*status));
}

/* Ended without a result. `status` as of waitpid(2); NULL: unknown. */
static void died(struct worker *w, const int *status)
{
	struct step_outcome *o = outcome(w);
	struct run *run = w->run;
	size_t step = w->step;
	struct err last = o->err;
	char text[sizeof last.text];

	set_death(w, status);
	o->state = STEP_FAILED;
	if (last.kind != ERR_NONE) {
		memcpy(text, o->err.text, sizeof text);
		err_set(&o->err, o->err.kind, o->err.reason, o->err.no, "%s; try %u: %s", text,
		        o->tries, last.text);
	}
	o->tries++; /* the one that was in progress */
	worker_reset(w);
	run->finished(run, step);
}

/* True if it had ended and has been reaped. */
static bool reap(struct worker *w)
{
	int status = 0;
	pid_t pid = waitpid(w->pid, &status, WNOHANG);

	if (pid == 0)
		return false;
	died(w, &status);
	return true;
}

static int on_end(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct worker *w = ctx;

	(void)fd;
	(void)events;
	w->ended = true;
	if (w->step == RUN_NO_STEP)
		worker_close(w);
	else if (!drain(w) && !reap(w))
		sd_event_source_set_enabled(s, SD_EVENT_OFF); /* it is being traced; see on_timer */
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct worker *w = ctx;
	struct process_tree tree;

	(void)s;
	(void)usec;
	if (drain(w))
		return 0;
	if (w->killed) {
		if (!reap(w))
			died(w, NULL);
		return 0;
	}
	w->killed = true;
	process_tree_of(w->pid, false, &tree);
	process_tree_signal(&tree, SIGKILL);
	set_timer(w, clock_now(), RUN_LOST_MS);
	return 0;
}

void worker_stop(struct worker *w)
{
	struct process_tree tree;

	process_tree_of(w->pid, false, &tree);
	/* The count includes the child itself. */
	if (process_tree_signal(&tree, SIGTERM) > 1) {
		set_timer(w, clock_now(), grace_ms(w->run));
		return;
	}
	w->killed = true;
	kill(w->pid, SIGKILL);
	set_timer(w, clock_now(), RUN_LOST_MS);
}

/* ---- a child starts ---- */

static int add_sources(struct worker *w)
{
	sd_event *event = w->run->event;
	int r = sd_event_add_io(event, &w->exited, w->pidfd, EPOLLIN, on_end, w);

	if (r < 0)
		return r;
	r = sd_event_add_io(event, &w->message, w->sock, EPOLLIN, on_message, w);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(w->message, RUN_PRIORITY_MESSAGE);
	if (r < 0)
		return r;
	r = sd_event_add_time(event, &w->timer, CLOCK_BOOTTIME, 0, TIMER_SLOP, on_timer, w);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
}

static int watch(struct worker *w)
{
	w->pidfd = (int)syscall(SYS_pidfd_open, w->pid, 0);
	if (w->pidfd < 0)
		return -errno;
	int r = add_sources(w);
	return r < 0 ? r : 0;
}

static _Noreturn void in_child(struct worker *w, int sock, pid_t parent)
{
	struct run *run = w->run;

	for (size_t i = 0; i < run->width; i++) {
		scope_close(&run->workers[i].sock);
		scope_close(&run->workers[i].pidfd);
	}
	run_child(run->plan, run->options, sock, parent);
}

static int start(struct worker *w)
{
	int pair[2];
	pid_t self = getpid();
	uint64_t before = clock_now();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	scope_fd int theirs = pair[1];
	w->sock = pair[0];
	w->pid = fork();
	if (w->pid == 0)
		in_child(w, theirs, self);
	int r = -errno;
	w->run->fork_ns = clock_now() - before;
	if (w->pid < 0) {
		worker_reset(w);
		return r;
	}
	r = watch(w);
	if (r < 0)
		worker_close(w);
	return r;
}

static bool waits(const struct worker *w)
{
	return w->pid && w->step == RUN_NO_STEP && !w->ended;
}

bool worker_waits(const struct run *run)
{
	for (size_t i = 0; i < run->width; i++)
		if (waits(&run->workers[i]))
			return true;
	return false;
}

/* An idle child, else a free slot for a new one. */
static struct worker *find(struct run *run)
{
	struct worker *room = NULL;

	for (size_t i = 0; i < run->width; i++) {
		struct worker *w = &run->workers[i];

		if (waits(w))
			return w;
		if (!w->pid && !room)
			room = w;
	}
	return room;
}

int worker_start_step(struct run *run, size_t step)
{
	struct worker *w = find(run);
	struct step_outcome *o = &run->result.outcomes[step];
	struct run_order order = {
	        .step = step,
	        .deadline = clock_min(clock_in_ms(run->plan->steps[step]->policy.timeout_ms),
	                              run->options->deadline),
	};

	if (!w)
		return -EAGAIN;
	int r = w->pid ? 0 : start(w);
	if (r < 0)
		return r;
	if (send(w->sock, &order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		r = -errno;
		worker_close(w);
		return r;
	}
	w->step = step;
	o->state = STEP_RUNNING;
	o->start_ns = clock_now();
	set_timer(w, order.deadline, grace_ms(run));
	return 0;
}
