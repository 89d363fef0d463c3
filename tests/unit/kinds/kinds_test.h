/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the kinds share: a spec becomes a plan, and the plan is carried out on a host
 * whose record is kept, in a sandbox if it changes the machine.
 */
#pragma once
#include "forked.h"
#include "sandbox.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/yaml.h"
#include "kinds/kinds.h"
#include "plan/plan.h"

struct fixture {
	struct arena *arena;
	struct host *host;
	struct cloud *cloud; /* NULL unless the test opens one, as for file: URIs */
	struct vars facts;
	struct plan plan;
	struct strbuf record;
};

static inline void fixture_record(void *ctx, const char *change)
{
	strbuf_printf(&((struct fixture *)ctx)->record, "%s\n", change);
}

static inline void fixture_forget(struct fixture *f)
{
	f->record = STRBUF(f->arena, 1 << 16);
	strbuf_str(&f->record, "");
}

static inline struct fixture *fixture_new(enum host_mode mode)
{
	struct arena *a = arena_new();
	struct fixture *f = arena_alloc(a, sizeof *f);
	struct err e = {0};

	f->arena = a;
	f->facts.arena = a;
	fixture_forget(f);
	assert_ok(host_open("/", mode, &f->host, &e));
	host_record_to(f->host, fixture_record, f);
	f->host->units = &forked_units;
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	host_close(f->host);
	cloud_close(f->cloud);
	arena_close(f->arena);
}

static inline int fixture_plan(struct fixture *f, const char *yaml, struct err *e)
{
	struct doc *d = NULL;
	int r = yaml_parse("spec", (struct blob){yaml, strlen(yaml)}, f->arena, &d, e);

	return r < 0 ? r : plan_build(d, kinds_all, NULL, &f->facts, NULL, f->arena, &f->plan, e);
}

static inline struct step_ctx fixture_ctx(struct fixture *f)
{
	return (struct step_ctx){.host = f->host,
	                         .cloud = f->cloud,
	                         .arena = f->arena,
	                         .facts = &f->facts,
	                         .deadline = clock_in_ms(60000)};
}

/* Probes all steps in order; the number that hold, or the first error. */
static inline int fixture_probe(struct fixture *f, struct err *e)
{
	struct step_ctx c = fixture_ctx(f);
	int n = 0;

	for (size_t i = 0; i < f->plan.n; i++) {
		const struct step *s = f->plan.steps[i];
		int r = s->kind->probe(&c, s->fields, e);

		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

/* Probes and applies all steps in order, stopping at the first error; the record begins anew. */
static inline int fixture_apply(struct fixture *f, struct err *e)
{
	struct step_ctx c = fixture_ctx(f);

	fixture_forget(f);
	for (size_t i = 0; i < f->plan.n; i++) {
		const struct step *s = f->plan.steps[i];
		int r = s->kind->probe(&c, s->fields, e);

		if (r == 0)
			r = s->kind->apply(&c, s->fields, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The spec is carried out, holds, and a second run finds nothing to do. */
static inline void assert_converges(struct fixture *f, const char *yaml)
{
	struct err e = {0};

	assert_ok(fixture_plan(f, yaml, &e));
	assert_ok(fixture_apply(f, &e));

	const char *record = f->record.data;
	int held = fixture_probe(f, &e);
	assert_ok(held);
	if ((size_t)held != f->plan.n)
		fail_msg("only %d of %zu steps hold after:\n%s", held, f->plan.n, record);
	fixture_forget(f);
	assert_ok(fixture_apply(f, &e));
	assert_string_equal(f->record.data, "");
	f->record.data = arena_strdup(f->arena, record);
}

static inline const char *fixture_read(struct fixture *f, const char *path)
{
	struct blob text = {0};
	struct err e = {0};

	assert_ok(host_read(f->host, path, 1 << 20, f->arena, &text, &e));
	return text.data;
}
