/* SPDX-License-Identifier: Apache-2.0 */
/* Tells why a step is built again: compares the chain with the record of the last build. */
#include "build/why.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

/* State of the walk up a chain. */
struct climb {
	const struct chain *chain;
	const struct store *store;
	struct arena *arena;
	struct record last;
	bool last_hidden;
	const char *below; /* key of the layer below; NULL: not known */
	const char *cause; /* the lowest step that has changed */
	const char *unknown;
	size_t more; /* number of reasons that are not listed */
	struct why *why;
	const struct chain_step *step;
};

const char *why_state_name(enum why_state state)
{
	static const char *const names[] = {
	        [WHY_CACHED] = "cached", [WHY_BUILD] = "build", [WHY_UNKNOWN] = "unknown"};

	return names[state];
}

static void reason(struct climb *c, const char *text)
{
	struct why *w = c->why;

	if (w->n == WHY_REASONS_MAX) {
		c->more++;
		return;
	}
	w->reasons = arena_grow(c->arena, w->reasons, &w->n, sizeof *w->reasons);
	w->reasons[w->n - 1] = text;
}

static void differs(void *ctx, enum input_change change, const struct input *i)
{
	static const char *const words[] = {
	        [INPUT_CHANGED] = "changed", [INPUT_ADDED] = "is new", [INPUT_REMOVED] = "is gone"};
	struct climb *c = ctx;
	const struct doc *at = i->at && i->at->line && i->at->file ? i->at : NULL;

	reason(c, at ? arena_printf(c->arena, "%s %s (%s:%u:%u)", i->name, words[change], at->file,
	                            at->line, at->col)
	             : arena_printf(c->arena, "%s %s", i->name, words[change]));
}

/* ---- what is recorded ---- */

static size_t steps_so_called(const struct chain *c, const char *name, size_t end)
{
	size_t n = 0;

	for (size_t i = 0; i < end; i++)
		n += str_eq(c->steps[i].name, name);
	return n;
}

/* Names may repeat, e.g. when a recipe and its parent both have tests: returns
 * the same occurrence. */
static const struct record_step *remembered(const struct chain *c, const struct record *last,
                                            size_t i)
{
	const char *name = c->steps[i].name;

	return record_find(last, name, steps_so_called(c, name, i));
}

/* A step that was below it and is no longer in the recipe. */
static const char *gone_step(const struct climb *c, const struct record_step *was)
{
	for (size_t k = 0; &c->last.steps[k] < was; k++)
		if (!steps_so_called(c->chain, c->last.steps[k].name, c->chain->n))
			return c->last.steps[k].name;
	return NULL;
}

/* ---- why ---- */

static void why_below(struct climb *c, const struct record_step *was)
{
	const char *gone = gone_step(c, was);

	if (c->cause)
		reason(c, arena_printf(c->arena, "below it %s is not as it was", c->cause));
	else if (gone)
		reason(c, arena_printf(c->arena, "below it %s is gone", gone));
	else
		reason(c, "it was last built over other layers");
}

/* True: the step itself has changed. */
static bool why_own(struct climb *c, const struct record_step *was)
{
	size_t n = c->why->n;

	if (!was) {
		reason(c, c->last.n ? "not in the last build" : "never built");
		return true;
	}
	if (!str_eq(c->last.abi, CHAIN_ABI))
		reason(c, "this program makes layers in another way");
	if (!str_eq(c->last.arch, c->step->recipe->arch))
		reason(c, "the architecture changed");
	if (was->inputs.n)
		input_compare(&was->inputs, &c->step->inputs, differs, c);
	return c->why->n > n;
}

static void why_missing(struct climb *c, const struct record_step *was, bool changed)
{
	if (!was)
		return;
	if (str_eq(was->key, c->why->key))
		reason(c, "removed from the store");
	else if (!str_eq(was->below, c->below))
		why_below(c, was);
	else if (!changed)
		reason(c, "what it says changed");
}

static void unknown(struct climb *c, const char *text)
{
	c->why->state = WHY_UNKNOWN;
	c->why->n = 0;
	reason(c, text);
}

static void judge(struct climb *c, size_t i)
{
	const struct record_step *was = remembered(c->chain, &c->last, i);
	int have = store_have(c->store, c->why->key);
	bool changed = why_own(c, was);

	if (have < 0) {
		unknown(c, "whether it is in the store is root's to see");
	} else if (have) {
		c->why->state = WHY_CACHED;
		c->why->n = 0;
	} else if (c->last_hidden) {
		c->why->n = 0;
		reason(c, "not in the store; why is root's to see");
	} else {
		why_missing(c, was, changed);
	}
	if (changed && !c->cause && c->step->type->layer)
		c->cause = c->step->name;
}

static void step_up(struct climb *c, size_t i)
{
	char *key = arena_alloc(c->arena, SHA256_HEX);

	c->step = &c->chain->steps[i];
	c->more = 0;
	*c->why = (struct why){.state = WHY_BUILD};
	if (!c->step->says || !c->below) {
		unknown(c, c->step->says
		                   ? arena_printf(c->arena, "%s can't be built here", c->unknown)
		                   : "it can't be built here");
		if (c->below)
			c->unknown = c->step->name;
		c->below = NULL;
		return;
	}
	chain_key(c->chain, i, c->below, key);
	c->why->key = key;
	judge(c, i);
	if (c->more)
		c->why->reasons[c->why->n - 1] =
		        arena_printf(c->arena, "and %zu more", c->more + 1);
	if (c->step->type->layer)
		c->below = key;
}

void why_tell(const struct chain *chain, const struct store *s, const char *recipe, struct arena *a,
              struct why *ret)
{
	struct climb c = {.chain = chain, .store = s, .arena = a, .below = ""};

	c.last_hidden = record_read(s, recipe, a, &c.last) < 0;
	/* Without a base there is no lowest layer and so no key. */
	if (chain->refused.no && chain->n && !chain->steps[0].type->first) {
		c.below = NULL;
		c.unknown = "without 'from' it";
	}
	for (size_t i = 0; i < chain->n; i++) {
		c.why = &ret[i];
		step_up(&c, i);
	}
}

/* ---- recording ---- */

static void remember_failed(const struct chain *c, const struct layer *held, size_t i,
                            struct arena *a, struct record *r)
{
	r->failed = c->steps[i].name;
	r->failed_key = held[i].key;
	r->failed_network = c->steps[i].network;
	r->failed_below.items = arena_array(a, i + 1, sizeof *r->failed_below.items);
	for (size_t k = 0; k < i; k++)
		if (c->steps[k].type->layer)
			r->failed_below.items[r->failed_below.n++] = held[k].key;
}

void why_remember(const struct chain *c, const struct store *s, const char *recipe,
                  const struct layer *held, size_t n, bool failed)
{
	scope_arena struct arena *a = arena_new();
	struct record was, r = {.abi = CHAIN_ABI, .arch = c->steps[0].recipe->arch};
	const char *below = "";
	struct err e;

	(void)record_read(s, recipe, a, &was);
	for (size_t i = 0; i < c->n; i++) {
		const struct record_step *old = i < n ? NULL : remembered(c, &was, i);

		if (i >= n && !old)
			continue;
		r.steps = arena_grow(a, r.steps, &r.n, sizeof *r.steps);
		r.steps[r.n - 1] = old ? *old
		                       : (struct record_step){.name = c->steps[i].name,
		                                              .key = held[i].key,
		                                              .below = below,
		                                              .inputs = c->steps[i].inputs};
		if (i < n && c->steps[i].type->layer)
			below = held[i].key;
	}
	if (failed)
		remember_failed(c, held, n, a, &r);
	if (record_write(s, recipe, &r, &e) < 0)
		log_warning("%s: 'plan' will not know why", e.text);
}
