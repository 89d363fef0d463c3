/* SPDX-License-Identifier: Apache-2.0 */
/* Lists a recipe's steps in their order, and carries one out. */
#include "build/chain.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "build/chain_own.h"
#include "disk/disk.h"
#include "store/volatile.h"

const struct chain_type *const chain_types[] = {
        &chain_base,  &chain_copy, &chain_plan_step, &chain_component, &chain_clean,
        &chain_tests, NULL,
};

/* ---- adding ---- */

static int read_components(struct chain *c, const struct recipe *recipe, struct err *e)
{
	int r = component_read(recipe->components, NULL, c->arena, &c->components, e);

	if (r < 0)
		return r;
	return chain_refuse(c, component_offline(&c->components, e), e);
}

static int add_recipe(struct chain *c, const struct recipe *recipe, bool top, struct err *e)
{
	int r = recipe->parent ? add_recipe(c, recipe->parent, false, e) : 0;

	if (r < 0)
		return r;
	r = read_components(c, recipe, e);
	if (r < 0)
		return r;
	for (size_t i = 0; chain_types[i]; i++) {
		if ((chain_types[i]->first && recipe->parent) || (chain_types[i]->last && !top))
			continue;
		r = chain_types[i]->add(c, recipe, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int plan(const struct recipe *recipe, const struct lock *lock, bool outline, struct arena *a,
                struct chain *ret, struct err *e)
{
	struct chain c = {.arena = a, .lock = lock, .outline = outline};
	int r = add_recipe(&c, recipe, true, e);

	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

int chain_plan(const struct recipe *r, const struct lock *lock, struct arena *a, struct chain *ret,
               struct err *e)
{
	return plan(r, lock, false, a, ret, e);
}

int chain_outline(const struct recipe *r, const struct lock *lock, struct arena *a,
                  struct chain *ret, struct err *e)
{
	return plan(r, lock, true, a, ret, e);
}

/* ---- making ---- */

/* The tree of a step that only inspects is not part of the image. */
static int forget_tree(const struct layer *l, struct err *e)
{
	store_remove(l->tree);
	if (mkdir(l->tree, 0755) < 0)
		return err_errno(e, errno, "making '%s'", l->tree);
	return 0;
}

static int make_fetched(struct chain_making *m, const struct component_fetches *fetches,
                        struct err *e)
{
	m->fetches = fetches;
	int r = m->step->type->make(m, e);
	if (r < 0)
		return r;
	if (!m->step->type->layer) {
		r = forget_tree(m->layer, e);
		if (r < 0)
			return r;
	}
	if (!m->step->declared)
		volatile_remove(m->layer->tree);
	return 0;
}

/* The root of the joined layers is that of the uppermost: it keeps the mode and owner that the base gave it. */
static int take_top(const char *const *layers, const struct layer *l, struct err *e)
{
	struct stat st;

	if (!*layers)
		return 0;
	while (layers[1])
		layers++;
	if (stat(*layers, &st) < 0 || chown(l->tree, st.st_uid, st.st_gid) < 0 ||
	    chmod(l->tree, st.st_mode & 07777) < 0)
		return err_errno(e, errno, "making '%s' as '%s' is", l->tree, *layers);
	return 0;
}

static int open_and_make(struct chain_making *m, struct component_fetches *fetches, struct err *e)
{
	int r = lock_open_files(fetches, m->chain->store, m->chain->source, m->deadline, e);

	if (r < 0)
		return r;
	return make_fetched(m, fetches, e);
}

int chain_make(const struct chain *c, size_t i, const char *const *layers, struct layer *l,
               struct err *e)
{
	const struct chain_step *s = &c->steps[i];
	uint64_t ms = s->type->timeout_ms ? s->type->timeout_ms(s) : CHAIN_BASE_MS;
	struct chain_making m = {
	        .chain = c, .step = s, .layers = layers, .layer = l, .deadline = clock_in_ms(ms)};
	struct component_fetches fetches = s->fetches;
	int r = take_top(layers, l, e);

	if (r < 0)
		return r;
	/* Of the packages below; the base brings its own. */
	r = *layers && !s->type->outside ? disk_epoch(layers, &m.epoch, e) : 0;
	if (r < 0)
		return r;
	r = open_and_make(&m, &fetches, e);

	lock_close_files(&fetches);
	return r;
}
