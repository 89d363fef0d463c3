/* SPDX-License-Identifier: Apache-2.0 */
/* A step of the recipe's own sections: run in the image by the agent's engine and kinds. */
#include <errno.h>
#include <stdio.h>

#include "bases/base.h"
#include "build/chain_own.h"
#include "document/canon.h"
#include "kinds/kinds.h"
#include "plan/run.h"
#include "recipe/sources.h"

struct one_step {
	const struct plan *plan;
	size_t at;
};

struct step_job {
	struct chain_inside inside;
	struct recipe recipe;
	size_t at; /* its index in the plan */
};

static int add_one(struct chain *c, const struct recipe *recipe, const struct plan *all, size_t i,
                   struct err *e)
{
	struct strbuf says = STRBUF(c->arena, CHAIN_SAYS_MAX);
	struct component_fetches fetches = {0};
	const struct step *step = all->steps[i];
	struct one_step *data = arena_alloc(c->arena, sizeof *data);
	struct chain_step *s = chain_add(c, &chain_plan_step, recipe, step->id, data);

	*data = (struct one_step){all, i};
	s->network = step->kind->network && step->kind->network(step->fields);
	s->declared = step->kind == &kind_files;
	strbuf_printf(&says, "step %s ", step->kind->section);
	canon_write(step->at, &recipe->facts, &says);
	input_add_doc(&s->inputs, c->arena, step->at, &recipe->facts);
	int r = sources_of_step(step, &recipe->facts, c->arena, &fetches, e);
	if (r < 0)
		return chain_refuse(c, r, e);
	r = chain_fetches(c, s, &fetches, &says, e);
	if (r < 0)
		return chain_refuse(c, r, e);
	return chain_says(s, &says, e);
}

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	struct plan *all = arena_alloc(c->arena, sizeof *all);
	int r = recipe_plan(recipe, c->arena, all, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all->n; i++) {
		if (all->steps[i]->kind == &kind_packages && base_brings_packages(recipe))
			continue;
		r = add_one(c, recipe, all, i, e);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct plan *chain_plan_of(const struct chain_step *s, size_t *ret_at)
{
	const struct one_step *one = s->data;

	if (s->type != &chain_plan_step)
		return NULL;
	*ret_at = one->at;
	return one->plan;
}

static uint64_t timeout_ms(const struct chain_step *s)
{
	const struct one_step *one = s->data;

	return one->plan->steps[one->at]->policy.timeout_ms;
}

static const struct sandbox_job step_job; /* below */

static int make(const struct chain_making *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct one_step *one = m->step->data;
	struct step_job job = {
	        .inside = chain_inside(m, a), .recipe = *m->step->recipe, .at = one->at};

	return chain_run(m, &step_job, &job, e);
}

static void parcel(struct parcel *p, void *arg)
{
	struct step_job *job = arg;

	chain_inside_parcel(p, &job->inside);
	chain_recipe_parcel(p, &job->recipe);
	parcel_size(p, &job->at);
}

/* Plans that step alone: what it depends on is in the layers below. */
static int plan_one(const struct step_job *job, struct arena *a, struct plan *ret, struct err *e)
{
	struct plan all;
	int r = recipe_plan(&job->recipe, a, &all, e);

	if (r < 0)
		return r;
	if (job->at >= all.n)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "the plan has no step %zu", job->at);
	*ret = (struct plan){
	        .arena = a,
	        .n = 1,
	        .steps = arena_alloc(a, sizeof(struct step *)),
	        .edges = arena_alloc(a, sizeof *all.edges),
	};
	ret->steps[0] = all.steps[job->at];
	return 0;
}

static int outcome(const struct step_outcome *out, struct err *e)
{
	for (size_t i = 0; i < out->changes.n; i++)
		fprintf(stderr, "changed: %s\n", out->changes.items[i]);
	if (out->state == STEP_OK || out->state == STEP_CHANGED)
		return 0;
	if (!out->err.no)
		return err_set(e, ERR_HOST, REASON_INTERRUPTED, EINTR,
		               "the step was not carried out");
	*e = out->err;
	return -e->no;
}

static int run(void *arg, struct err *e)
{
	const struct step_job *job = arg;
	scope_arena struct arena *a = arena_new();
	struct run_options o = {.facts = &job->recipe.facts, .deadline = job->inside.deadline};
	struct run_result res;
	struct plan plan;
	int r = plan_one(job, a, &plan, e);

	if (r < 0)
		return r;
	r = chain_open_image(&job->inside, &o.host, e);
	if (r < 0)
		return r;
	chain_log_inside();
	o.cloud = chain_open_fetched(&job->inside, a);
	r = plan_run(&plan, &o, a, &res, e);
	cloud_close(o.cloud);
	host_close(o.host);
	if (r < 0)
		return r;
	return outcome(&res.outcomes[0], e);
}

static const struct sandbox_job step_job = {
        .name = "step", .size = sizeof(struct step_job), .parcel = parcel, .run = run};

const struct chain_type chain_plan_step = {.job = &step_job,
                                           .name = "step",
                                           .layer = true,
                                           .add = add,
                                           .make = make,
                                           .timeout_ms = timeout_ms};
