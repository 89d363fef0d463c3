/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine with steps that behave, and with steps that do everything a step can do wrong. What a
 * step does is the word in its `act`; it leaves its traces as files in a directory of the test's
 * own.
 */
#include "thing.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "plan/run.h"

#define GUARD_MS 20000 /* no wait of a test is longer: it would be a hang */

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

	snprintf(temp, sizeof temp, "%s.new", path);
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd) < 0 || rename(temp, path) < 0)
		_exit(99);
}

static long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

static long count(const struct step_ctx *c, const char *name)
{
	long n = number_in(trace_path(c, name)) + 1;

	n = n > 0 ? n : 1;
	leave(c, name, n);
	return n;
}

static bool wait_file(const char *path)
{
	uint64_t guard = clock_in_ms(GUARD_MS);

	while (access(path, F_OK) != 0)
		if (!clock_sleep_ms(2, guard))
			return false;
	return true;
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
	wait_file(trace_path(c, "escaped"));
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
		if (!wait_file(trace_path(c, arena_printf(c->arena, "here-%ld", i))))
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
	if (here > number_in(trace_path(c, "most")))
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
	wait_file(trace_path(c, "traced"));
	hang();
}

static const struct {
	const char *name;
	int (*apply)(const struct step_ctx *c, const struct thing *t, struct err *e);
} acts[] = {
        {"write", act_write},     {"hang", act_hang},
        {"program", act_program}, {"escape", act_escape},
        {"kill", act_kill},       {"exit", act_exit},
        {"nothing", act_nothing}, {"denied", act_denied},
        {"silent", act_silent},   {"fail", act_fail},
        {"chatter", act_chatter}, {"unreachable", act_unreachable},
        {"meet", act_meet},       {"crowd", act_crowd},
        {"traced", act_traced},   {"surroundings", act_surroundings},
        {"flood", act_flood},     {"fail-then-die", act_fail_then_die},
};

static int act_apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct thing *t = fields;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (str_eq(acts[i].name, t->act))
			return acts[i].apply(c, t, e);
	_exit(98);
}

/* Holds when it always did, or when it was written. */
static int act_probe(const struct step_ctx *c, const void *fields, struct err *e)
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

static const struct kind things = {
        .section = "things",
        .shape = KIND_LIST,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .claim = thing_claim,
        .probe = act_probe,
        .apply = act_apply,
};
static const struct kind *const kinds[] = {&things, NULL};

/* ---- one run ---- */

struct fixture {
	struct arena *a;
	char dir[64];
	struct plan p;
	struct run_options o;
	struct run_observer observer;
	struct run_result r;
	struct vars facts;
	struct strbuf seen, logged;
	int stop; /* eventfd */
	size_t most_running;
	unsigned ticks;
};

static const char *path_of(struct fixture *f, const char *name)
{
	return arena_printf(f->a, "%s/%s", f->dir, name);
}

static void saw_started(void *ctx, const struct plan *p, size_t step)
{
	struct fixture *f = ctx;

	strbuf_printf(&f->seen, "+%s ", p->steps[step]->id + strlen("things:"));
}

static void saw_finished(void *ctx, const struct plan *p, size_t step, const struct step_outcome *o)
{
	struct fixture *f = ctx;

	strbuf_printf(&f->seen, "%s=%s ", p->steps[step]->id + strlen("things:"),
	              step_state_name(o->state));
}

static void saw_tick(void *ctx, size_t running, size_t done)
{
	struct fixture *f = ctx;

	(void)done;
	f->ticks++;
	if (running > f->most_running)
		f->most_running = running;
}

static void keep_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	struct fixture *f = ctx;

	strbuf_printf(&f->logged, "<%d>%s", (int)level, text);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&f->logged, " %s=%s", fields[i].name, fields[i].value);
	strbuf_char(&f->logged, '\n');
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof *f);
	struct err e = {0};

	f->a = arena_new();
	snprintf(f->dir, sizeof f->dir, "/tmp/hpc-run-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->facts.arena = f->a;
	vars_set(&f->facts, "dir", f->dir, "test");
	f->stop = eventfd(0, EFD_CLOEXEC);
	f->seen = STRBUF(f->a, 65536);
	f->logged = STRBUF(f->a, 65536);
	f->observer = (struct run_observer){f, saw_started, saw_finished, saw_tick};
	f->o = (struct run_options){
	        .facts = &f->facts,
	        .deadline = clock_in_ms(GUARD_MS),
	        .grace_ms = 300,
	        .stop_fd = f->stop,
	        .observer = &f->observer,
	};
	assert_ok(host_open(f->dir, HOST_LIVE, &f->o.host, &e));
	log_set_sink(keep_log, f, LOG_LEVEL_DEBUG);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	/* The engine leaves no child of its own behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	host_close(f->o.host);
	close(f->stop);
	arena_free(f->a);
	test_free(f);
	return 0;
}

static void run(struct fixture *f, const char *yaml)
{
	struct err e = {0};

	f->seen.len = f->logged.len = 0;
	assert_ok(plan_build(spec_of(f->a, yaml), kinds, NULL, NULL, f->a, &f->p, &e));
	assert_ok(plan_run(&f->p, &f->o, f->a, &f->r, &e));
	assert_int_equal(f->r.n, f->p.n);
	assert_true(f->r.end_ns >= f->r.start_ns);
}

static const struct step_outcome *outcome(struct fixture *f, const char *name)
{
	const char *id = arena_printf(f->a, "things:%s", name);

	for (size_t i = 0; i < f->p.n; i++)
		if (str_eq(f->p.steps[i]->id, id))
			return &f->r.outcomes[i];
	fail_msg("no step '%s'", id);
	return NULL;
}

static void assert_state(struct fixture *f, const char *name, enum step_state want)
{
	const struct step_outcome *o = outcome(f, name);

	if (o->state != want)
		fail_msg("%s is %s, wanted %s: %s", name, step_state_name(o->state),
		         step_state_name(want), o->err.text);
}

static void assert_failed(struct fixture *f, const char *name, enum reason reason, const char *part)
{
	const struct step_outcome *o = outcome(f, name);

	assert_true(o->state == STEP_FAILED || o->state == STEP_BLOCKED);
	assert_string_equal(reason_row(o->err.reason)->name, reason_row(reason)->name);
	if (!strstr(o->err.text, part))
		fail_msg("'%s' lacks '%s'", o->err.text, part);
}

/* Programs are the machine's own; the steps that run them write nothing by the host. */
static void use_machine(struct fixture *f)
{
	struct err e = {0};

	host_close(f->o.host);
	assert_ok(host_open("/", HOST_LIVE, &f->o.host, &e));
}

static bool alive(long pid)
{
	return pid > 0 && kill((pid_t)pid, 0) == 0;
}

/* ---- the good days ---- */

static void changed_then_ok(void **state)
{
	struct fixture *f = *state;
	const char *yaml = "things:\n"
	                   "- {name: a, act: write, provides: x:a}\n"
	                   "- {name: b, act: write, needs: x:a}\n";

	run(f, yaml);
	assert_string_equal(f->seen.data, "+a a=changed +b b=changed ");
	const struct step_outcome *o = outcome(f, "a");
	assert_int_equal(o->tries, 1);
	assert_int_equal(o->changes_total, 1);
	assert_non_null(strstr(o->changes.items[0], "write /a 0644"));
	assert_true(o->start_ns && o->end_ns >= o->start_ns);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);

	run(f, yaml);
	assert_string_equal(f->seen.data, "+a a=ok +b b=ok ");
	assert_int_equal(outcome(f, "a")->changes_total, 0);
}

static void nothing_to_do(void **state)
{
	struct fixture *f = *state;

	run(f, "things:\n");
	assert_int_equal(f->r.n, 0);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
}

static void probe_only_changes_nothing(void **state)
{
	struct fixture *f = *state;

	f->o.probe_only = true;
	run(f, "things:\n"
	       "- {name: a, act: write, provides: x:a}\n"
	       "- {name: b, needs: x:a}\n"
	       "- {name: c, act: probe-unreachable}\n");
	assert_state(f, "a", STEP_PENDING);
	assert_state(f, "b", STEP_OK);
	assert_failed(f, "c", REASON_HTTP_UNREACHABLE, "no answer");
	assert_int_equal(outcome(f, "c")->tries, 1);
	assert_int_not_equal(access(path_of(f, "a"), F_OK), 0);
	assert_int_equal(run_exit_status(&f->p, &f->r, true), 4);
}

/* A dry host remembers what it would have done, from one step to the next. */
static void dry_host(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	host_close(f->o.host);
	assert_ok(host_open(f->dir, HOST_DRY, &f->o.host, &e));
	run(f, "things:\n"
	       "- {name: same, id: 'things:first', act: write, provides: x:a}\n"
	       "- {name: same, id: 'things:second', act: write, needs: x:a}\n"
	       "- {name: other, act: denied}\n");
	assert_state(f, "first", STEP_PENDING);
	assert_int_equal(outcome(f, "first")->changes_total, 1);
	assert_state(f, "second", STEP_OK);
	assert_state(f, "other", STEP_FAILED);
	assert_int_not_equal(access(path_of(f, "same"), F_OK), 0);
}

/* A child that changed nothing takes the next step; after a change there is a new one. */
static void children_are_reused_while_clean(void **state)
{
	struct fixture *f = *state;

	f->o.width = 1;
	run(f, "things:\n"
	       "- {name: a}\n"
	       "- {name: b}\n"
	       "- {name: c, act: write}\n"
	       "- {name: d}\n");
	long a = number_in(path_of(f, "pid-a")), c = number_in(path_of(f, "pid-c"));
	assert_int_not_equal(a, getpid());
	assert_int_equal(number_in(path_of(f, "pid-b")), a);
	assert_int_equal(c, a);
	assert_int_not_equal(number_in(path_of(f, "pid-d")), c);
	assert_string_equal(f->seen.data, "+a a=ok +b b=ok +c c=changed +d d=ok ");
}

static void steps_run_at_once(void **state)
{
	struct fixture *f = *state;

	run(f, "things:\n"
	       "- {name: 1, act: meet, times: 3}\n"
	       "- {name: 2, act: meet, times: 3}\n"
	       "- {name: 3, act: meet, times: 3}\n");
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
}

static void width_is_kept(void **state)
{
	struct fixture *f = *state;
	struct strbuf yaml = STRBUF(f->a, 4096);

	strbuf_str(&yaml, "things:\n");
	for (int i = 1; i <= 12; i++)
		strbuf_printf(&yaml, "- {name: %d, act: crowd, times: 12}\n", i);
	f->o.width = 3;
	run(f, yaml.data);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
	assert_in_range(number_in(path_of(f, "most")), 1, 3);
	assert_in_range(f->most_running, 1, 3);
}

static void surroundings_of_a_child(void **state)
{
	struct fixture *f = *state;
	struct sigaction old, mine = {.sa_handler = SIG_IGN};

	sigaction(SIGUSR1, &mine, &old);
	run(f, "things: [{name: a, act: surroundings, timeout: 7s}]\n");
	sigaction(SIGUSR1, &old, NULL);
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(number_in(path_of(f, "group")), 1);
	assert_int_equal(number_in(path_of(f, "death")), SIGKILL);
	assert_int_equal(number_in(path_of(f, "reaper")), 1);
	assert_int_equal(number_in(path_of(f, "handler")), 1);
	assert_in_range(number_in(path_of(f, "left-ms")), 1, 7000);
}

static void records_come_to_the_parent(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: chatter, times: 100}]\n");
	const struct step_outcome *o = outcome(f, "a");
	assert_int_equal(o->changes.n, RUN_CHANGES_MAX);
	assert_int_equal(o->changes_total, 101);
	assert_non_null(strstr(o->changes.items[63], "/chatter-63"));
	assert_non_null(
	        strstr(f->logged.data, "<6>things:a: line 99 HPC_STEP=things:a HPC_KIND=things\n"));
}

/* ---- failures ---- */

static void applied_but_does_not_hold(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: nothing}]\n");
	assert_failed(f, "a", REASON_STEP_NOT_HELD, "'things:a' was applied but does not hold");
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

static void deaths(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: kill}, {name: b, act: exit}, {name: c, act: silent}]\n");
	assert_failed(f, "a", REASON_STEP_DIED, "died by signal 9 (Killed)");
	assert_failed(f, "b", REASON_STEP_DIED, "exit status 3");
	assert_failed(f, "c", REASON_BUG, "kind 'things' failed without a word");
	assert_int_equal(outcome(f, "a")->tries, 1);
	assert_int_equal(outcome(f, "c")->err.no, ENOTTY);
}

static void retries_of_the_machine(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: fail, times: 1, retries: 1}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(outcome(f, "a")->tries, 2);
	assert_int_equal(outcome(f, "a")->err.kind, ERR_NONE);
	assert_non_null(strstr(f->logged.data, "<4>things:a: try 1 failed, trying again: "
	                                       "try number 1 HPC_STEP=things:a"));
}

static void retries_end(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: fail, times: 9, retries: 1}, {name: b, act: nothing}]\n");
	assert_failed(f, "a", REASON_HOST_FILE, "try number 2");
	assert_int_equal(outcome(f, "a")->tries, 2);
	assert_int_equal(outcome(f, "b")->tries, 1);
}

static void services_are_tried_again(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: unreachable, times: 1}, {name: b, act: denied}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(outcome(f, "a")->tries, 2);
	assert_failed(f, "b", REASON_MOUNT_REFUSED, "asking: refused");
	assert_int_equal(outcome(f, "b")->tries, 1);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

static void services_are_given_up_at_the_deadline(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: probe-unreachable, timeout: 10ms}]\n");
	assert_failed(f, "a", REASON_HTTP_UNREACHABLE, "no answer");
	assert_int_equal(outcome(f, "a")->err.kind, ERR_RETRY);
	assert_false(f->r.deadline_passed);
}

static void blocked_names_the_root(void **state)
{
	struct fixture *f = *state;

	run(f, "things:\n"
	       "- {name: a, act: denied, provides: 'path:/a'}\n"
	       "- {name: b, act: write, needs: 'path:/a/b', provides: x:b}\n"
	       "- {name: c, act: write, needs: x:b}\n"
	       "- {name: d, act: write, after: things:a}\n"
	       "- {name: free, act: write}\n");
	assert_failed(f, "b", REASON_STEP_BLOCKED, "waits for path:/a of 'things:a', which failed");
	assert_failed(f, "c", REASON_STEP_BLOCKED,
	              "waits for x:b of 'things:b', which is blocked by 'things:a'");
	assert_failed(f, "d", REASON_STEP_BLOCKED, "waits for the end of 'things:a', which failed");
	assert_int_equal(outcome(f, "c")->err.kind, ERR_DENIED);
	assert_int_equal(outcome(f, "c")->start_ns, 0);
	assert_state(f, "free", STEP_CHANGED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

static void optional_steps(void **state)
{
	struct fixture *f = *state;

	run(f, "things:\n"
	       "- {name: a, act: denied, provides: x:a, optional: true}\n"
	       "- {name: b, act: write, needs: x:a, optional: true}\n"
	       "- {name: c, act: write, after: [things:a, things:b]}\n");
	assert_state(f, "b", STEP_BLOCKED);
	assert_state(f, "c", STEP_CHANGED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 8);

	/* Who needs what an optional step would have made doesn't get it. */
	run(f, "things:\n"
	       "- {name: a, act: denied, provides: x:a, optional: true}\n"
	       "- {name: d, act: write, needs: x:a}\n");
	assert_state(f, "d", STEP_BLOCKED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

/* ---- deadlines ---- */

static void hanging_steps_are_killed(void **state)
{
	struct fixture *f = *state;

	run(f, "things:\n"
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
	struct fixture *f = *state;
	struct strbuf yaml = STRBUF(f->a, 4096);

	strbuf_str(&yaml, "things:\n");
	for (int i = 1; i <= 6; i++)
		strbuf_printf(&yaml, "- {name: %d, act: flood, timeout: 100ms}\n", i);
	run(f, yaml.data);
	for (int i = 1; i <= 6; i++)
		assert_failed(f, arena_printf(f->a, "%d", i), REASON_STEP_TIMEOUT, "was killed");
}

/* What is told in the grace after the deadline is better than "killed". */
static void programs_are_ended_by_the_child(void **state)
{
	struct fixture *f = *state;

	use_machine(f);
	f->o.grace_ms = 0;
	run(f, "things: [{name: a, act: program, timeout: 2s}]\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "running '/bin/sh'");
	assert_true(number_in(path_of(f, "program")) > 0);
	assert_false(alive(number_in(path_of(f, "program"))));
}

static void descendants_are_killed_too(void **state)
{
	struct fixture *f = *state;

	use_machine(f);
	run(f, "things: [{name: a, act: escape, timeout: 2s}]\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "was killed");
	long pid = number_in(path_of(f, "escaped"));
	uint64_t guard = clock_in_ms(GUARD_MS);

	/* Its last reaper is the machine's; until that has looked it is a zombie. */
	assert_true(pid > 0);
	while (alive(pid))
		assert_true(clock_sleep_ms(5, guard));
}

/* The first try was refused, the second one dies: both are told. */
static void the_last_failure_is_told(void **state)
{
	struct fixture *f = *state;

	run(f, "things: [{name: a, act: fail-then-die, retries: 1}]\n");
	assert_failed(f, "a", REASON_STEP_DIED, "exit status 3; try 1: try number 1");
	assert_int_equal(outcome(f, "a")->tries, 2);
}

static void deadline_of_the_run(void **state)
{
	struct fixture *f = *state;

	f->o.deadline = clock_in_ms(1000);
	run(f, "things:\n"
	       "- {name: a, act: hang}\n"
	       "- {name: b, after: things:a, optional: true}\n"
	       "- {name: c, after: things:d}\n"
	       "- {name: d, act: hang, optional: true}\n");
	assert_failed(f, "a", REASON_STEP_TIMEOUT, "was killed");
	assert_state(f, "c", STEP_SKIPPED);
	assert_true(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 7);
}

static void deadline_passed_before_the_start(void **state)
{
	struct fixture *f = *state;

	f->o.deadline = clock_now();
	run(f, "things: [{name: a}, {name: b, after: things:a}]\n");
	assert_string_equal(f->seen.data, "a=skipped b=skipped ");
	assert_true(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 7);
}

static pid_t start_tracer(struct fixture *f)
{
	const char *asked = path_of(f, "trace-me"), *done = path_of(f, "traced");
	pid_t tracer = fork();

	if (tracer)
		return tracer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!wait_file(asked) || ptrace(PTRACE_SEIZE, (pid_t)number_in(asked), 0, 0) < 0)
		_exit(1);
	close(open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	hang();
}

static void abandoned(void **state)
{
	struct fixture *f = *state;
	pid_t tracer = start_tracer(f);

	run(f, "things:\n"
	       "- {name: a, act: traced, timeout: 2s, provides: x:a}\n"
	       "- {name: b, needs: x:a}\n"
	       "- {name: c, act: write}\n");
	assert_failed(f, "a", REASON_STEP_ABANDONED, "left behind");
	assert_state(f, "b", STEP_BLOCKED);
	assert_state(f, "c", STEP_CHANGED);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	/* Only now the one that was left behind can be waited for. */
	assert_int_equal(waitpid((pid_t)number_in(path_of(f, "trace-me")), NULL, 0),
	                 number_in(path_of(f, "trace-me")));
}

/* ---- being stopped ---- */

/* From outside, as a service manager would, when that file is there. */
static pid_t stop_when(struct fixture *f, const char *name)
{
	const char *path = path_of(f, name);
	uint64_t one = 1;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!wait_file(path) || write(f->stop, &one, sizeof one) != sizeof one)
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
	struct fixture *f = *state;

	use_machine(f);
	f->o.grace_ms = 0;
	pid_t stopper = stop_when(f, "program");
	run(f, "things:\n"
	       "- {name: a, act: program, retries: 5}\n"
	       "- {name: b, after: things:a}\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED,
	              "interrupted: running '/bin/sh': ended by SIGTERM");
	assert_int_equal(outcome(f, "a")->tries, 1);
	assert_state(f, "b", STEP_SKIPPED);
	assert_true(f->r.interrupted);
	assert_false(f->r.deadline_passed);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

static void stop_while_a_step_hangs(void **state)
{
	struct fixture *f = *state;

	f->o.grace_ms = 0;
	pid_t stopper = stop_when(f, "pid-b");
	run(f,
	    "things: [{name: a, act: hang}, {name: b, act: hang, after: things:c}, {name: c}]\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED, "interrupted: 'things:a' was ended");
	assert_failed(f, "b", REASON_INTERRUPTED, "interrupted");
	assert_state(f, "c", STEP_OK);
}

static void stop_between_tries(void **state)
{
	struct fixture *f = *state;

	pid_t stopper = stop_when(f, "tries");
	run(f, "things: [{name: a, act: unreachable, times: 1000, timeout: 1h}]\n");
	assert_stopped(stopper);
	assert_failed(f, "a", REASON_INTERRUPTED, "interrupted");
	assert_int_equal(outcome(f, "a")->state, STEP_FAILED);
}

static void stopped_before_the_start(void **state)
{
	struct fixture *f = *state;
	uint64_t one = 1;

	assert_int_equal(write(f->stop, &one, sizeof one), sizeof one);
	run(f, "things: [{name: a, act: hang}, {name: b, after: things:a}]\n");
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
	struct fixture *f = *state;
	struct err e = {0};
	struct rlimit old;
	bool no_run = false, no_step = false, one_by_one = false;

	assert_ok(plan_build(
	        spec_of(f->a, "things: [{name: a, act: write}, {name: b, act: write}]\n"), kinds,
	        NULL, NULL, f->a, &f->p, &e));
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
	struct fixture *f = *state;
	int before = open_fds();

	for (int i = 0; i < 20; i++)
		run(f, "things: [{name: a}, {name: b, act: kill}, {name: c, act: denied}]\n");
	assert_int_equal(open_fds(), before);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(changed_then_ok),
	        T(nothing_to_do),
	        T(probe_only_changes_nothing),
	        T(dry_host),
	        T(children_are_reused_while_clean),
	        T(steps_run_at_once),
	        T(width_is_kept),
	        T(surroundings_of_a_child),
	        T(records_come_to_the_parent),
	        T(applied_but_does_not_hold),
	        T(deaths),
	        T(retries_of_the_machine),
	        T(retries_end),
	        T(services_are_tried_again),
	        T(services_are_given_up_at_the_deadline),
	        T(blocked_names_the_root),
	        T(optional_steps),
	        T(hanging_steps_are_killed),
	        T(talking_is_no_way_out),
	        T(programs_are_ended_by_the_child),
	        T(descendants_are_killed_too),
	        T(the_last_failure_is_told),
	        T(deadline_of_the_run),
	        T(deadline_passed_before_the_start),
	        T(abandoned),
	        T(stop_while_a_program_runs),
	        T(stop_while_a_step_hangs),
	        T(stop_between_tries),
	        T(stopped_before_the_start),
	        T(short_of_descriptors),
	        T(nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
