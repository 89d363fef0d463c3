/* SPDX-License-Identifier: Apache-2.0 */
/* A stage for tests of the engine: a root, facts, and what was seen and logged. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "os/tree.h"

static const struct kind acting = {
        .section = "things",
        .shape = KIND_LIST,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .claim = thing_claim,
        .probe = act_probe,
        .apply = act_apply,
};
static const struct kind traceless = {
        .section = "traceless",
        .shape = KIND_LIST,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .traceless = true,
        .claim = thing_claim,
        .probe = act_probe,
        .apply = act_apply,
};
const struct kind *const stage_kinds[] = {&traceless, &acting, NULL};

long stage_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

bool stage_wait_file(const char *path)
{
	uint64_t guard = clock_in_ms(GUARD_MS);

	while (access(path, F_OK) != 0)
		if (!clock_sleep_ms(2, guard))
			return false;
	return true;
}

const char *stage_path(struct stage *f, const char *name)
{
	return arena_printf(f->a, "%s/%s", f->dir, name);
}

static void saw_started(void *ctx, const struct plan *p, size_t step)
{
	struct stage *f = ctx;

	strbuf_printf(&f->seen, "+%s ", p->steps[step]->id + strlen("things:"));
}

static void saw_finished(void *ctx, const struct plan *p, size_t step, const struct step_outcome *o)
{
	struct stage *f = ctx;

	strbuf_printf(&f->seen, "%s=%s ", p->steps[step]->id + strlen("things:"),
	              step_state_name(o->state));
}

static void saw_tick(void *ctx, size_t running, size_t done)
{
	struct stage *f = ctx;

	(void)done;
	f->ticks++;
	if (running > f->most_running)
		f->most_running = running;
}

static void keep_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	struct stage *f = ctx;

	strbuf_printf(&f->logged, "<%d>%s", (int)level, text);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&f->logged, " %s=%s", fields[i].name, fields[i].value);
	strbuf_char(&f->logged, '\n');
}

int stage_setup(void **state)
{
	struct stage *f = test_calloc(1, sizeof *f);
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

int stage_teardown(void **state)
{
	struct stage *f = *state;
	struct err e;

	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	/* The engine leaves no child of its own behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_ok(tree_remove(AT_FDCWD, f->dir, true, &e));
	host_close(f->o.host);
	close(f->stop);
	arena_close(f->a);
	test_free(f);
	return 0;
}

void stage_run(struct stage *f, const char *yaml)
{
	struct err e = {0};

	f->seen.len = f->logged.len = 0;
	assert_ok(plan_build(spec_of(f->a, yaml), stage_kinds, NULL, NULL, NULL, f->a, &f->p, &e));
	assert_ok(plan_run(&f->p, &f->o, f->a, &f->r, &e));
	assert_int_equal(f->r.n, f->p.n);
	assert_true(f->r.end_ns >= f->r.start_ns);
}

const struct step_outcome *stage_outcome(struct stage *f, const char *name)
{
	const char *id = arena_printf(f->a, "things:%s", name);

	for (size_t i = 0; i < f->p.n; i++)
		if (str_eq(f->p.steps[i]->id, id))
			return &f->r.outcomes[i];
	fail_msg("no step '%s'", id);
	return NULL;
}

void assert_state(struct stage *f, const char *name, enum step_state want)
{
	const struct step_outcome *o = stage_outcome(f, name);

	if (o->state != want)
		fail_msg("%s is %s, wanted %s: %s", name, step_state_name(o->state),
		         step_state_name(want), o->err.text);
}

void assert_failed(struct stage *f, const char *name, enum reason reason, const char *part)
{
	/* The engine's own: a fault of the machine, whatever is in the document. */
	static const enum reason own[] = {REASON_STEP_TIMEOUT, REASON_STEP_ABANDONED,
	                                  REASON_STEP_DIED, REASON_INTERRUPTED};
	const struct step_outcome *o = stage_outcome(f, name);

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (reason == own[i])
			assert_int_equal(o->err.kind, ERR_HOST);
	assert_true(o->state == STEP_FAILED || o->state == STEP_BLOCKED);
	assert_string_equal(reason_row(o->err.reason)->name, reason_row(reason)->name);
	if (!strstr(o->err.text, part))
		fail_msg("'%s' lacks '%s'", o->err.text, part);
}

bool stage_alive(long pid)
{
	return pid > 0 && kill((pid_t)pid, 0) == 0;
}
