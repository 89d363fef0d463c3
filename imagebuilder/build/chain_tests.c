/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of a recipe and of its components, and the check of its features. */
#include <stdio.h>

#include "base/clock.h"
#include "build/chain_own.h"
#include "document/canon.h"
#include "recipe/feature.h"
#include "recipe/test.h"

struct testing {
	struct test_list tests;
	struct component_list components;
};

struct tests_job {
	struct chain_inside inside;
	struct recipe recipe;
	struct chain_documents documents;
};

static bool any_tests(const struct component_list *l)
{
	struct component_walk w = {0};

	return component_next(l, PHASES_TEST, &w);
}

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, CHAIN_SAYS_MAX);
	struct testing *data = arena_alloc(c->arena, sizeof *data);
	int r = test_read(recipe->tests, &recipe->facts, c->arena, &data->tests, e);

	if (r < 0)
		return r;
	data->components = c->components;
	if (data->tests.n == 0 && !any_tests(&data->components) && !recipe->features.n)
		return 0;
	struct chain_step *s = chain_add(c, &chain_tests, recipe, "tests", data);
	s->network = any_tests(&data->components);
	for (size_t i = 0; i < recipe->features.n; i++)
		strbuf_printf(&says, "feature %s\n", recipe->features.items[i]);
	if (says.data)
		input_add_lines(&s->inputs, c->arena, says.data);
	strbuf_str(&says, "tests ");
	canon_write(recipe->tests, &recipe->facts, &says);
	if (recipe->tests)
		input_add_doc(&s->inputs, c->arena, recipe->tests, &recipe->facts);
	r = chain_component_fetches(c, s, &data->components, PHASES_TEST, &says, e);
	if (r < 0)
		return chain_refuse(c, r, e);
	return chain_says(s, &says, e);
}

static uint64_t timeout_ms(const struct chain_step *s)
{
	const struct testing *data = s->data;
	uint64_t ms = CHAIN_BASE_MS;

	for (size_t i = 0; i < data->tests.n; i++)
		ms += data->tests.items[i].timeout_ms;
	return ms;
}

static const struct sandbox_job tests_job; /* below */

static int make(const struct chain_making *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct testing *data = m->step->data;
	struct tests_job job = {.inside = chain_inside(m, a),
	                        .recipe = *m->step->recipe,
	                        .documents = chain_documents(&data->components, a)};

	return chain_run(m, &tests_job, &job, e);
}

static void parcel(struct parcel *p, void *arg)
{
	struct tests_job *job = arg;

	chain_inside_parcel(p, &job->inside);
	chain_recipe_parcel(p, &job->recipe);
	chain_documents_parcel(p, &job->documents);
}

static int run_tests(const struct recipe *recipe, struct host *h, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct test_list l;
	int r = test_read(recipe->tests, &recipe->facts, a, &l, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < l.n; i++) {
		fprintf(stderr, "test: %s\n", l.items[i].name);
		r = test_run(&l.items[i], h, clock_in_ms(l.items[i].timeout_ms), e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_all(const struct tests_job *job, struct host *h, struct err *e)
{
	int r = feature_prove(&job->recipe, host_root_fd(h), e);

	if (r < 0)
		return r;
	r = run_tests(&job->recipe, h, e);
	if (r < 0)
		return r;
	return chain_run_components(&job->documents, PHASES_TEST, &job->inside, h, e);
}

static int run(void *arg, struct err *e)
{
	const struct tests_job *job = arg;
	struct host *h;
	int r = chain_open_image(&job->inside, &h, e);

	if (r < 0)
		return r;
	r = run_all(job, h, e);
	host_close(h);
	return r;
}

static const struct sandbox_job tests_job = {
        .name = "tests", .size = sizeof(struct tests_job), .parcel = parcel, .run = run};

const struct chain_type chain_tests = {
        .job = &tests_job, .name = "tests", .add = add, .make = make, .timeout_ms = timeout_ms};
