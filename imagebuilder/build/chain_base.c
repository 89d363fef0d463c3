/* SPDX-License-Identifier: Apache-2.0 */
/* The chain's lowest step: the base. */
#include "bases/base.h"
#include "build/chain_own.h"

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, CHAIN_SAYS_MAX);
	struct base *base = arena_alloc(c->arena, sizeof *base);
	int r = base_plan(recipe, c->lock, c->arena, base, &says, e);

	if (r < 0 && recipe->from_type == FROM_NOTHING)
		return chain_refuse(c, r, e);
	struct chain_step *s = chain_add(c, &chain_base, recipe,
	                                 arena_printf(c->arena, "base %s", recipe->from), base);
	if (r < 0)
		return chain_refuse(c, r, e);
	r = chain_says(s, &says, e);
	if (r < 0)
		return r;
	input_add_lines(&s->inputs, c->arena, s->says);
	return 0;
}

static int make(const struct chain_making *m, struct err *e)
{
	return base_make(m->step->data, m->layer->tree, m->chain->store, m->deadline, layer_log,
	                 m->layer, e);
}

const struct chain_type chain_base = {
        .name = "base", .layer = true, .first = true, .add = add, .make = make};
