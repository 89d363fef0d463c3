/* SPDX-License-Identifier: Apache-2.0 */
/* plan: lists the steps of a build in their order, which of them the store has, and why not the
 * others. Needs no root and makes nothing. */
#include <stdio.h>

#include "base/log.h"
#include "build/why.h"
#include "data/jsonw.h"
#include "recipe/feature.h"
#include "recipe/foreign.h"
#include "verb/verb.h"

#define TEXT_MAX      (16UL << 20)
#define ID_WIDTH_MAX  40
#define REASONS_SHOWN 4

static int id_width(const struct chain *c)
{
	size_t width = 0;

	for (size_t i = 0; i < c->n; i++) {
		size_t len = strlen(c->steps[i].name);

		if (len > width)
			width = len;
	}
	return (int)(width < ID_WIDTH_MAX ? width : ID_WIDTH_MAX);
}

static void print_reasons(const struct why *w, struct strbuf *out)
{
	size_t shown = w->n > REASONS_SHOWN ? REASONS_SHOWN - 1 : w->n;
	char text[512];

	for (size_t k = 0; k < shown; k++)
		strbuf_printf(out, "%s%s", k ? "; " : "  ",
		              str_escape(w->reasons[k], strlen(w->reasons[k]), text, sizeof text));
	if (w->n > shown)
		strbuf_printf(out, "; and more");
}

/* ---- what is for other images ---- */

static const char *left_name(const struct when_left *l, struct arena *a)
{
	return arena_printf(a, "%s:%u:%u: %s", l->part->file, l->part->line, l->part->col, l->what);
}

static void print_left(const struct recipe *r, struct arena *a, struct strbuf *out)
{
	char text[1024];

	if (r->parent)
		print_left(r->parent, a, out);
	for (size_t i = 0; i < r->n_left; i++) {
		const char *name = left_name(&r->left[i], a);

		strbuf_printf(out, "left out  %s: %s\n",
		              str_escape(name, strlen(name), text, sizeof text), r->left[i].why);
	}
}

static void json_left(const struct recipe *r, struct arena *a, struct jsonw *w)
{
	if (r->parent)
		json_left(r->parent, a, w);
	for (size_t i = 0; i < r->n_left; i++) {
		jsonw_begin(w, NULL, '{');
		jsonw_u64(w, "schema", PROGRAM_SCHEMA);
		jsonw_str(w, "id", left_name(&r->left[i], a));
		jsonw_str(w, "type", "when");
		jsonw_str(w, "recipe", r->file);
		jsonw_str(w, "state", "left-out");
		jsonw_str(w, "key", "");
		jsonw_begin(w, "reasons", '[');
		jsonw_str(w, NULL, r->left[i].why);
		jsonw_end(w, ']');
		jsonw_end(w, '}');
	}
}

/* ---- the steps ---- */

static void print_text(const struct recipe *recipe, const struct chain *c, const struct why *whys,
                       struct strbuf *out)
{
	size_t count[WHY_UNKNOWN + 1] = {0};
	int width = id_width(c);
	char name[512];

	for (size_t i = 0; i < c->n; i++) {
		const struct chain_step *s = &c->steps[i];
		const struct why *w = &whys[i];
		size_t at;
		const struct plan *plan = chain_plan_of(s, &at);
		bool last = w->n == 0 && !(plan && plan->edges[at].n);

		count[w->state]++;
		strbuf_printf(out, "%3zu %-7s %-*s", i + 1, why_state_name(w->state),
		              last ? 0 : width,
		              str_escape(s->name, strlen(s->name), name, sizeof name));
		print_reasons(w, out);
		if (plan)
			plan_print_after(plan, at, out);
		strbuf_char(out, '\n');
	}
	print_left(recipe, c->arena, out);
	strbuf_printf(out, "%zu cached, %zu to build", count[WHY_CACHED], count[WHY_BUILD]);
	if (count[WHY_UNKNOWN])
		strbuf_printf(out, ", %zu not known", count[WHY_UNKNOWN]);
	strbuf_char(out, '\n');
}

static void print_json(const struct recipe *recipe, const struct chain *c, const struct why *whys,
                       struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < c->n; i++) {
		const struct chain_step *s = &c->steps[i];
		size_t at;
		const struct plan *plan = chain_plan_of(s, &at);

		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "id", s->name);
		jsonw_str(&w, "type", s->type->name);
		jsonw_str(&w, "recipe", s->recipe->file);
		jsonw_str(&w, "state", why_state_name(whys[i].state));
		jsonw_str(&w, "key", whys[i].key);
		jsonw_begin(&w, "reasons", '[');
		for (size_t k = 0; k < whys[i].n; k++)
			jsonw_str(&w, NULL, whys[i].reasons[k]);
		jsonw_end(&w, ']');
		if (plan)
			plan_json_step(plan, at, &w);
		jsonw_end(&w, '}');
	}
	json_left(recipe, c->arena, &w);
	jsonw_end(&w, ']');
	strbuf_char(out, '\n');
}

/* ---- ParallelCluster's image configuration ---- */

static void foreign_text(const struct foreign *f, struct strbuf *out)
{
	size_t n = 0;

	if (f->update.n)
		strbuf_printf(out, "%3zu %s\n", ++n, "UpdateOsPackages");
	for (size_t i = 0; i < f->plan.n; i++) {
		strbuf_printf(out, "%3zu %s  %s", ++n, f->plan.steps[i]->id,
		              doc_text(f->plan.steps[i]->at, "source"));
		plan_print_after(&f->plan, i, out);
		strbuf_char(out, '\n');
	}
	strbuf_printf(out, "%zu for 'provision'\n", n);
}

static void foreign_json(const struct foreign *f, struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '[');
	if (f->update.n) {
		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "id", "UpdateOsPackages");
		jsonw_str(&w, "recipe", f->config->file);
		jsonw_end(&w, '}');
	}
	for (size_t i = 0; i < f->plan.n; i++) {
		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "id", f->plan.steps[i]->id);
		jsonw_str(&w, "recipe", f->config->file);
		plan_json_step(&f->plan, i, &w);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	strbuf_char(out, '\n');
}

static int plan_foreign(struct image *g, const struct foreign *f)
{
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);

	(g->program.json ? foreign_json : foreign_text)(f, &b);
	fputs(b.data, stdout);
	for (size_t i = 0; i < f->notes.n; i++)
		log_notice("%s", f->notes.items[i]);
	return 0;
}

/* ---- the verb ---- */

/* The chain as far as it is known, and the store to look for its layers in. */
static int outline(struct image *g, struct recipe *recipe, struct chain *c, struct store *s,
                   struct err *e)
{
	const struct options *o = &g->opt;
	const char *path = g->program.line.operands[0];
	const struct lock *lock;
	struct err refused;
	int r = recipe_load(path, &o->set, g->program.arena, recipe, e);

	if (r < 0)
		return r;
	r = image_lock(g, path, recipe, &lock, e);
	if (r < 0)
		return r;
	r = chain_outline(recipe, lock, g->program.arena, c, e);
	if (r < 0)
		return r;
	if (!c->refused.no && feature_check(recipe, g->program.arena, &refused) < 0)
		c->refused = refused;
	return store_look(o->store ? o->store : STORE_DEFAULT, s, e);
}

int verb_plan(void *program)
{
	struct image *g = program;
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);
	scope_store struct store s = STORE_INIT;
	struct recipe recipe;
	struct chain c;
	struct foreign foreign;
	struct err e;
	int r = foreign_read(g->program.line.operands[0], NULL, g->program.arena, &foreign, &e);

	if (r < 0)
		return program_fail(&g->program, &e);
	if (r > 0)
		return plan_foreign(g, &foreign);
	if (outline(g, &recipe, &c, &s, &e) < 0)
		return program_fail(&g->program, &e);
	struct why *whys = arena_array(g->program.arena, c.n, sizeof *whys);
	why_tell(&c, &s, recipe.file, g->program.arena, whys);
	(g->program.json ? print_json : print_text)(&recipe, &c, whys, &b);
	fputs(b.data, stdout);
	if (c.refused.no)
		log_notice("'build' refuses this: %s", c.refused.text);
	return 0;
}
