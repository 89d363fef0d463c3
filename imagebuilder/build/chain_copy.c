/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe's copies: written to the merged layers from outside, where this machine's files are
 * visible. */
#include "build/chain_own.h"
#include "recipe/copy.h"

struct copy_job {
	struct chain_inside inside;
	struct copy_list copies;
};

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	struct copy_list *l = arena_alloc(c->arena, sizeof *l);
	char hex[COPY_DIGEST];
	int r = copy_read(recipe->copy, &recipe->facts, c->arena, l, e);

	if (r < 0 || l->n == 0)
		return r;
	struct chain_step *s = chain_add(c, &chain_copy, recipe, "copy", l);
	s->declared = true;
	r = copy_digest(l, hex, c->arena, &s->inputs, e);
	if (r < 0) {
		s->inputs = (struct input_list){0};
		return chain_refuse(c, r, e);
	}
	s->says = arena_printf(c->arena, "copy %s", hex);
	return 0;
}

static const struct sandbox_job copy_job; /* below */

static int make(const struct chain_making *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct copy_job job = {.inside = chain_inside(m, a),
	                       .copies = *(const struct copy_list *)m->step->data};

	return chain_run(m, &copy_job, &job, e);
}

static void parcel(struct parcel *p, void *arg)
{
	struct copy_job *job = arg;
	struct copy_list *l = &job->copies;

	chain_inside_parcel(p, &job->inside);
	parcel_size(p, &l->n);
	l->items = parcel_array(p, l->items, l->n, sizeof *l->items);
	for (size_t i = 0; i < l->n; i++) {
		uint64_t mode = l->items[i].mode;

		parcel_text(p, &l->items[i].from);
		parcel_text(p, &l->items[i].to);
		parcel_u64(p, &mode);
		l->items[i].mode = (unsigned)mode;
		parcel_doc(p, &l->items[i].at);
	}
}

static int run(void *arg, struct err *e)
{
	const struct copy_job *job = arg;
	struct host *h;
	int r = chain_open_joined(&job->inside, &h, e);

	if (r < 0)
		return r;
	r = copy_apply(&job->copies, h, e);
	host_close(h);
	return r;
}

static const struct sandbox_job copy_job = {
        .name = "copy", .size = sizeof(struct copy_job), .parcel = parcel, .run = run};

const struct chain_type chain_copy = {
        .job = &copy_job, .name = "copy", .layer = true, .outside = true, .add = add, .make = make};
