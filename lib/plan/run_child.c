/* SPDX-License-Identifier: Apache-2.0 */
/* The child's side of a run: probes, applies, retries, and reports to the parent. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "plan/run_own.h"

#define TELL_TRIES_RESULT 100
#define TELL_TRIES_LINE   5
#define TELL_PAUSE_MS     20

struct child {
	const struct plan *plan;
	const struct run_options *options;
	int sock;
	bool dry;
};

/* The state of one step in the child. */
struct attempt {
	const struct child *child;
	const struct step *step;
	struct step_ctx ctx;
	unsigned tries;
	int64_t refusals; /* tries that failed because the machine refused */
	bool applied;
};

/* The kernel may temporarily lack the memory for a packet; other errors are permanent. */
static bool passes(int error)
{
	return error == EINTR || error == ENOBUFS || error == ENOMEM || error == EAGAIN;
}

/* False if the packet was not sent. */
static bool tell(int sock, const struct run_message *m, int tries)
{
	size_t len = offsetof(struct run_message, text) + strlen(m->text) + 1;

	for (int i = 0; i < tries; i++) {
		if (send(sock, m, len, MSG_NOSIGNAL) >= 0)
			return true;
		if (!passes(errno))
			return false;
		clock_sleep_ms(TELL_PAUSE_MS, CLOCK_NEVER);
	}
	return false;
}

/* For what the parent can do without: a log line, or a line about a change. */
static void tell_if_possible(int sock, const struct run_message *m)
{
	(void)tell(sock, m, TELL_TRIES_LINE);
}

static void tell_change(void *ctx, const char *change)
{
	const struct child *c = ctx;
	struct run_message m = {.type = RUN_CHANGE};

	snprintf(m.text, sizeof m.text, "%s", change);
	tell_if_possible(c->sock, &m);
}

static void tell_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	const struct child *c = ctx;
	struct run_message m = {.type = RUN_LOG, .level = level};

	(void)fields;
	(void)n;
	snprintf(m.text, sizeof m.text, "%s", text);
	tell_if_possible(c->sock, &m);
}

/* SIGTERM is blocked, so it is pending if the run is being stopped. */
static bool stopped(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

static int probe(struct attempt *t, struct err *e)
{
	const struct kind *k = t->step->kind;

	return k->probe(&t->ctx, t->step->fields, e);
}

/* One round: its state, or <0. */
static int try_once(struct attempt *t, struct err *e)
{
	const struct kind *k = t->step->kind;
	int r = probe(t, e);

	if (r < 0)
		return r;
	if (r > 0)
		return t->applied ? STEP_CHANGED : STEP_OK;
	if (t->child->options->probe_only)
		return STEP_PENDING;
	t->applied = true;
	r = k->apply(&t->ctx, t->step->fields, e);
	if (r < 0)
		return r;
	if (t->child->dry)
		return STEP_PENDING;
	r = probe(t, e);
	if (r < 0)
		return err_wrap(e, "checking what was applied");
	if (r > 0)
		return STEP_CHANGED;
	return err_set(e, ERR_HOST, REASON_STEP_NOT_HELD, EAGAIN,
	               "'%s' was applied but does not hold", t->step->id);
}

/* Waits, and returns whether another try makes sense. */
static bool again(struct attempt *t, struct backoff *b, const struct err *e)
{
	struct run_message m = {.type = RUN_RETRY, .tries = t->tries, .err = *e};

	if (t->child->options->probe_only || t->child->dry || stopped())
		return false;
	if (e->kind == ERR_HOST && t->refusals++ >= t->step->policy.retries)
		return false;
	if (e->kind != ERR_HOST && e->kind != ERR_RETRY)
		return false;
	tell_if_possible(t->child->sock, &m);
	return backoff_wait(b, 0, t->ctx.deadline) && !stopped();
}

static void run_step(const struct child *c, const struct run_order *order)
{
	struct backoff b = BACKOFF_SERVICE;
	struct run_message m = {.type = RUN_RESULT};
	struct attempt t = {
	        .child = c,
	        .step = c->plan->steps[order->step],
	        .ctx = {.host = c->options->host,
	                .cloud = c->options->cloud,
	                .facts = c->options->facts,
	                .deadline = order->deadline},
	};
	int r;

	do {
		scope_arena struct arena *a = arena_new();

		t.ctx.arena = a;
		t.tries++;
		memset(&m.err, 0, sizeof m.err);
		r = try_once(&t, &m.err);
		if (r < 0 && m.err.kind == ERR_NONE)
			err_set(&m.err, ERR_BUG, REASON_BUG, -r,
			        "kind '%s' failed without a word: %s", t.step->kind->section,
			        strerror(-r));
	} while (r < 0 && again(&t, &b, &m.err));
	if (r >= 0)
		memset(&m.err, 0, sizeof m.err);
	m.state = r < 0 ? STEP_FAILED : (enum step_state)r;
	m.tries = t.tries;
	/* If it can't be reported, the parent learns it from the end of this process. */
	if (!tell(c->sock, &m, TELL_TRIES_RESULT))
		_exit(RUN_EXIT_UNHEARD);
}

/*
 * Resets the caller's signal set-up: its handlers are not for the child, and its mask is for its
 * signalfd. SIGTERM and SIGPIPE are blocked rather than ignored, since programs we run would
 * inherit the latter.
 */
static void reset_signals(void)
{
	static const int ours[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM,
	                           SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD};
	sigset_t mask;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

_Noreturn void run_child(const struct plan *p, const struct run_options *o, int sock, pid_t parent)
{
	struct child c = {
	        .plan = p,
	        .options = o,
	        .sock = sock,
	        .dry = o->host && host_mode(o->host) == HOST_DRY,
	};
	struct run_order order;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	reset_signals();
	/* Orphans of what a step runs stay our descendants, so that they can be found and ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	log_set_sink(tell_log, &c, LOG_LEVEL_DEBUG);
	if (o->host)
		host_record_to(o->host, tell_change, &c);
	if (o->cloud)
		cloud_after_fork(o->cloud);
	while (recv(sock, &order, sizeof order, 0) == (ssize_t)sizeof order)
		run_step(&c, &order);
	_exit(0);
}
