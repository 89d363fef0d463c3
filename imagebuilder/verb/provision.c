/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provision: make the running machine, or a root, what a recipe says.
 *
 * Copies, sections, components (build, validate), tests, in that order, the parent recipe's before
 * its child's. A component that asks for a restart ends the run with status 194; what was done is
 * in STATE, and the next run of the same recipe continues after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "build/intent.h"
#include "component/component.h"
#include "data/jsonw.h"
#include "disk/disk.h"
#include "host/lock.h"
#include "kinds/kinds.h"
#include "look/manifest.h"
#include "plan/report.h"
#include "program/stop.h"
#include "recipe/copy.h"
#include "recipe/feature.h"
#include "recipe/foreign.h"
#include "recipe/recipe.h"
#include "recipe/test.h"
#include "verb/provision_state.h"
#include "verb/verb.h"

#define DEGRADED     8 /* the exit status if only optional steps failed */
#define DEADLINE_MS  (4ULL * 3600 * 1000)
#define LINE_MAX_LEN (64 * 1024) /* a path, with each byte escaped */

struct provision {
	struct image *image;
	struct host *host;
	struct cloud *cloud;
	uint64_t deadline;
	size_t changed, held;
	int status; /* of the plan: 0, or its exit status */
	bool degraded;
	struct hygiene_intent intent; /* with --clean */
	size_t n_recipes;
	struct component_list components[RECIPE_FROM_MAX + 1]; /* of each recipe so far */
};

/* ---- output ---- */

static void tell(struct provision *p, const char *state, const char *what, uint64_t ns)
{
	struct strbuf b = STRBUF(p->image->program.arena, LINE_MAX_LEN);

	if (p->image->program.quiet)
		return;
	if (p->image->program.json) {
		struct jsonw w = {.out = &b};

		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "state", state);
		jsonw_str(&w, "step", what);
		jsonw_u64(&w, "elapsed_ns", ns);
		jsonw_end(&w, '}');
	} else {
		char shown[160];

		strbuf_printf(&b, "%-8s %-40s ", state,
		              str_escape(what, strlen(what), shown, sizeof shown));
		report_elapsed(ns, &b);
	}
	printf("%s\n", b.data);
	fflush(stdout);
}

static void step_finished(void *ctx, const struct plan *plan, size_t i,
                          const struct step_outcome *o)
{
	struct provision *p = ctx;

	p->changed += o->state == STEP_CHANGED;
	p->held += o->state == STEP_OK;
	tell(p, step_state_name(o->state), plan->steps[i]->id,
	     o->start_ns ? o->end_ns - o->start_ns : 0);
	if (o->state == STEP_FAILED || o->state == STEP_BLOCKED)
		log_err("%s", o->err.text);
}

/* ---- sections ---- */

/* 0, or the exit status of a plan that failed. */
static int run_plan(struct provision *p, const struct plan *plan, const struct vars *facts,
                    struct err *e)
{
	const struct run_observer observer = {.ctx = p, .finished = step_finished};
	scope_stop struct stop stop = stop_open();
	const struct run_options options = {
	        .host = p->host,
	        .cloud = p->cloud,
	        .facts = facts,
	        .deadline = p->deadline,
	        .stop_fd = stop.fd,
	        .observer = &observer,
	};
	struct run_result result;
	int r = plan_run(plan, &options, p->image->program.arena, &result, e);

	if (r < 0)
		return r;
	p->status = run_exit_status(plan, &result, false);
	/* What follows doesn't depend on optional steps. */
	if (p->status == DEGRADED) {
		p->degraded = true;
		p->status = 0;
	}
	return 0;
}

/* ---- components ---- */

static void component_step_begins(void *ctx, const struct component *c,
                                  const struct component_step *s)
{
	struct provision *p = ctx;

	tell(p, "begins",
	     arena_printf(p->image->program.arena, "%s %s.%s", c->name,
	                  component_phase_name(s->phase), s->name),
	     0);
}

static int run_components(struct provision *p, struct component_list *l, unsigned phases,
                          struct err *e)
{
	const struct component_env env = {
	        .host = p->host,
	        .cloud = p->cloud,
	        .arena = p->image->program.arena,
	        .deadline = p->deadline,
	        .may_reboot = host_is_self(p->host),
	        .step = component_step_begins,
	        .ctx = p,
	};

	return components_run(l, phases, &env, e);
}

static int run_tests(struct provision *p, const struct test_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		uint64_t start = clock_now();
		int r = test_run(&l->items[i], p->host, p->deadline, e);

		if (r < 0)
			return r;
		tell(p, "passed",
		     arena_printf(p->image->program.arena, "test %s", l->items[i].name),
		     clock_now() - start);
	}
	return 0;
}

/* ---- recipes ---- */

struct own {
	struct plan plan;
	struct copy_list copies;
	struct component_list *components;
	struct test_list tests;
};

static int read_own(struct provision *p, const struct recipe *recipe, struct own *own,
                    struct err *e)
{
	struct arena *a = p->image->program.arena;
	int r = recipe_plan(recipe, a, &own->plan, e);

	if (r < 0)
		return r;
	r = copy_read(recipe->copy, &recipe->facts, a, &own->copies, e);
	if (r < 0)
		return r;
	r = component_read(recipe->components, NULL, a, own->components, e);
	if (r < 0)
		return r;
	r = test_read(recipe->tests, &recipe->facts, a, &own->tests, e);
	if (r < 0)
		return r;
	return copy_find(&own->copies, e);
}

/* 0, 1 for a restart, <0. */
static int run_behind_plan(struct provision *p, const struct recipe *recipe, const struct own *own,
                           struct err *e)
{
	int r = run_components(p, own->components, PHASES_MAKE, e);

	if (r != 0)
		return r;
	r = feature_prove(recipe, host_root_fd(p->host), e);
	if (r < 0)
		return r;
	r = run_tests(p, &own->tests, e);
	if (r < 0)
		return r;
	return run_components(p, own->components, PHASES_TEST, e);
}

/* 0, COMPONENT_REBOOT, a plan's status, or <0. */
static int run_own(struct provision *p, const struct recipe *recipe, struct err *e)
{
	struct own own = {.components = &p->components[p->n_recipes++]};
	int r = read_own(p, recipe, &own, e);

	if (r < 0)
		return r;
	r = copy_apply(&own.copies, p->host, e);
	if (r < 0)
		return r;
	r = run_plan(p, &own.plan, &recipe->facts, e);
	if (r < 0)
		return r;
	if (p->status)
		return p->status;
	provision_state_load(p->host, p->n_recipes - 1, own.components);
	r = run_behind_plan(p, recipe, &own, e);
	if (r <= 0)
		return r;
	r = provision_state_save(p->host, p->components, p->n_recipes, e);
	return r < 0 ? r : COMPONENT_REBOOT;
}

static int run_recipe(struct provision *p, const struct recipe *recipe, struct err *e)
{
	if (recipe->parent) {
		int r = run_recipe(p, recipe->parent, e);
		if (r != 0)
			return r;
	}
	return run_own(p, recipe, e);
}

/* Writes what the machine now has, so that its agent can skip checks; a machine has no layers, and
 * its steps can't be identified by a digest of the recipe. */
static int tell_content(struct provision *p, const struct recipe *recipe,
                        const struct hygiene_report *cleaned, struct err *e)
{
	const char *const layers[] = {host_root(p->host), NULL};
	struct manifest m = {.name = recipe->name,
	                     .version = recipe->version,
	                     .arch = recipe->arch,
	                     .hygiene = cleaned};
	int r = disk_epoch(layers, &m.epoch, e);

	if (r < 0)
		return r;
	return manifest_write(p->host, &m, e);
}

/* ---- ParallelCluster's image configuration ---- */

/* An image that lacks something must not pass for what its file describes. */
static int refuse_lacks(const struct foreign *f, struct err *e)
{
	const struct err *first = f->lacks.items;

	if (f->lacks.n == 0)
		return 0;
	if (f->lacks.n == 1)
		return err_set(e, first->kind, first->reason, EINVAL, "%s, or give --incomplete",
		               first->text);
	return err_set(e, first->kind, first->reason, EINVAL,
	               "%s, or give --incomplete (%zu more such parts: 'check' names them)",
	               first->text, f->lacks.n - 1);
}

static int run_foreign(struct provision *p, struct foreign *f, struct err *e)
{
	for (size_t i = 0; i < f->notes.n; i++)
		log_notice("%s", f->notes.items[i]);
	int r = run_components(p, &f->update, PHASES_MAKE, e);
	if (r != 0)
		return r;
	r = run_plan(p, &f->plan, &f->facts, e);
	return r < 0 ? r : p->status;
}

/* ---- the verb ---- */

/* Opens the machine to change; requires root. */
static int open_machine(struct provision *p, struct err *e)
{
	const char *root = p->image->opt.root;
	int r = host_open(root ? root : "/", HOST_LIVE, &p->host, e);

	if (r < 0)
		return r;
	if (geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
		               "changing this machine needs root; 'hpc-imagebuild plan' does not");
	return 0;
}

/* Each on a line of its own, as none of them is the reason for another. */
static void tell_left(struct provision *p, const struct hygiene_report *report)
{
	struct arena *a = p->image->program.arena;

	log_notice("cleaned: %zu things that no image may have", report->n_cleaned);
	for (size_t i = 0; i < report->n_cleaned; i++)
		log_debug("cleaned: %s: '%s'", report->cleaned[i].rule->name,
		          report->cleaned[i].path);
	for (size_t i = 0; i < report->left.n_allowed; i++)
		log_notice("%s", hygiene_words(&report->left.allowed[i], a));
	for (size_t i = 0; report->left.n > 1 && i < report->left.n; i++)
		log_err("%s", hygiene_words(&report->left.items[i], a));
}

static void tell_unused(struct provision *p, const struct hygiene_report *report)
{
	const struct hygiene_allow **unused;
	size_t n = hygiene_unused(&p->intent, &report->left, p->image->program.arena, &unused);

	for (size_t i = 0; i < n; i++)
		log_notice("not needed: allow {rule: %s, path: %s}: no such thing is here",
		           unused[i]->rule, unused[i]->path);
}

static int run_all(struct provision *p, const struct recipe *recipe, struct foreign *foreign,
                   struct err *e)
{
	bool clean = p->image->opt.clean;
	struct hygiene_report report = {0};
	int r = recipe ? run_recipe(p, recipe, e) : run_foreign(p, foreign, e);

	if (r != 0)
		return r;
	if (clean) {
		p->intent = hygiene_intent_in(host_root_fd(p->host), &p->intent,
		                              p->image->program.arena);
		r = hygiene_finish(p->host, &p->intent, p->image->program.arena, &report, e);
		if (r < 0)
			return r;
		tell_left(p, &report);
		tell_unused(p, &report);
	}
	if (recipe) {
		r = tell_content(p, recipe, clean ? &report : NULL, e);
		if (r < 0)
			return r;
	}
	return hygiene_refuse(&report.left, e);
}

static int provision(struct provision *p, struct err *e)
{
	struct image *g = p->image;
	const char *path = g->program.line.operands[0];
	scope_fd int lock = -1;
	struct recipe recipe;
	struct foreign foreign;
	int r = foreign_read(path, NULL, g->program.arena, &foreign, e);
	bool is_foreign = r > 0;

	if (r == 0)
		r = recipe_load(path, &g->opt.set, g->program.arena, &recipe, e);
	if (is_foreign)
		r = g->opt.incomplete ? 0 : refuse_lacks(&foreign, e);
	else if (r == 0 && g->opt.clean)
		r = intent_read(&recipe, NULL, g->program.arena, &p->intent, e);
	if (r < 0)
		return r;
	r = open_machine(p, e);
	if (r < 0)
		return r;
	r = host_lock(p->host, &lock, e);
	if (r < 0)
		return r;
	r = profile_load(&g->program.profile, g->program.arena, &g->program.cloud_config, e);
	if (r < 0)
		return r;
	p->cloud = cloud_open(&g->program.cloud_config);
	r = run_all(p, is_foreign ? NULL : &recipe, &foreign, e);
	return r == 0 && p->degraded ? DEGRADED : r;
}

int verb_provision(void *program)
{
	struct image *g = program;
	struct provision p = {
	        .image = g,
	        .deadline = program_deadline(&g->program, DEADLINE_MS),
	};
	struct err e;
	int r = provision(&p, &e);

	if (r == 0 || r == DEGRADED)
		provision_state_remove(p.host);
	if (r == COMPONENT_REBOOT)
		log_notice("a component asks for a restart; run this again after it");
	if (r == 0 && !g->program.quiet && !g->program.json)
		printf("%zu changed, %zu held already, %.1f s\n", p.changed, p.held,
		       (double)(clock_now() - g->program.start) / 1e9);
	cloud_close(p.cloud);
	host_close(p.host);
	if (r >= 0)
		return r;
	return program_fail(&g->program, &e);
}
