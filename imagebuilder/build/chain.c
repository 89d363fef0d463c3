/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps there are, and their keys. */
#include "build/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "kinds/kinds.h"
#include "look/hygiene.h"
#include "recipe/canon.h"
#include "recipe/sources.h"

#define SAYS_MAX (8UL << 20)

static struct chain_step *add(struct chain *c, enum chain_type type, const struct recipe *r,
                              const char *name)
{
	struct chain_step *s;

	c->steps = arena_grow(c->arena, c->steps, &c->n, sizeof *c->steps);
	s = &c->steps[c->n - 1];
	s->type = type;
	s->recipe = r;
	s->name = name;
	return s;
}

static int says_too_much(const struct recipe *r, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
	               "%s: a step of more than %lu MiB: put large files in place by 'copy'",
	               r->file, SAYS_MAX >> 20);
}

/* An outline goes on, with the step and without its key. */
static int refuse(struct chain *c, int r, const struct err *e)
{
	if (r == 0 || !c->outline)
		return r;
	if (!c->refused.no)
		c->refused = *e;
	return 0;
}

static int add_base(struct chain *c, const struct recipe *r, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, SAYS_MAX);
	struct base base;
	int err = base_plan(r, c->lock, c->arena, &base, &says, e);

	if (err < 0 && r->from_type == FROM_NOTHING)
		return refuse(c, err, e);
	struct chain_step *s = add(c, CHAIN_BASE, r, arena_printf(c->arena, "base %s", r->from));
	if (err < 0)
		return refuse(c, err, e);
	s->base = base;
	s->says = says.data;
	input_add_lines(&s->inputs, c->arena, s->says);
	return 0;
}

static int add_copies(struct chain *c, const struct recipe *r, struct err *e)
{
	struct copy_list l;
	char hex[COPY_DIGEST];
	struct input_list inputs = {0};
	int err = copy_read(r->copy, &r->facts, c->arena, &l, e);

	if (err < 0 || l.n == 0)
		return err;
	err = copy_digest(&l, hex, c->arena, &inputs, e);
	struct chain_step *s = add(c, CHAIN_COPY, r, "copy");
	if (err < 0)
		return refuse(c, err, e);
	s->copies = l;
	s->inputs = inputs;
	s->says = arena_printf(c->arena, "copy %s", hex);
	return 0;
}

/* What a step fetches, with digests, which are part of what it says. */
static int fix_fetches(struct chain *c, struct chain_step *s, struct component_fetches *all,
                       struct strbuf *says, struct err *e)
{
	int err = lock_fix_files(c->lock, all, e);

	if (err < 0)
		return err;
	for (size_t i = 0; i < all->n; i++) {
		const struct component_fetch *f = &all->items[i];

		strbuf_printf(says, "\nfetched %s", f->sha256);
		input_add(&s->inputs, c->arena, arena_printf(c->arena, "fetched %s", f->uri),
		          f->sha256, strlen(f->sha256), f->at);
	}
	s->fetches = *all;
	return 0;
}

/* Of its components in these phases. */
static int add_fetches(struct chain *c, struct chain_step *s, unsigned phases, struct strbuf *says,
                       struct err *e)
{
	struct component_fetches all = {0};
	int r = component_fetches(&s->components, phases, c->arena, &all, e);

	if (r < 0)
		return r;
	return fix_fetches(c, s, &all, says, e);
}

static int add_step(struct chain *c, const struct recipe *r, struct plan *all, size_t i,
                    struct err *e)
{
	struct strbuf says = STRBUF(c->arena, SAYS_MAX);
	struct step *step = all->steps[i];
	struct component_fetches fetches = {0};
	struct chain_step *s = add(c, CHAIN_STEP, r, step->id);

	strbuf_printf(&says, "step %s ", step->kind->section);
	canon_write(step->at, &r->facts, &says);
	input_add_doc(&s->inputs, c->arena, step->at, &r->facts);
	s->network = step->kind == &kind_packages;
	s->of = all;
	s->at = i;
	s->one = (struct plan){
	        .arena = c->arena,
	        .n = 1,
	        .steps = (struct step **)(void *)arena_memdup(c->arena, &step, sizeof step),
	        .edges = arena_alloc(c->arena, sizeof *all->edges),
	};
	int err = sources_of_step(step, &r->facts, c->arena, &fetches, e);
	if (err == 0)
		err = fix_fetches(c, s, &fetches, &says, e);
	if (err < 0)
		return refuse(c, err, e);
	s->says = says.data;
	return says.overflow ? says_too_much(r, e) : 0;
}

static int add_steps(struct chain *c, const struct recipe *r, struct err *e)
{
	struct plan *all = arena_alloc(c->arena, sizeof *all);
	int err = recipe_plan(r, c->arena, all, e);

	if (err < 0)
		return err;
	for (size_t i = 0; i < all->n && err == 0; i++)
		if (all->steps[i]->kind != &kind_packages || !base_brings_packages(r))
			err = add_step(c, r, all, i, e);
	return err;
}

/* Its document as it stands, and the parameters given to it. */
static int add_component(struct chain *c, const struct recipe *r, struct component *one,
                         struct err *e)
{
	struct strbuf says = STRBUF(c->arena, SAYS_MAX);
	struct blob text;
	char hex[SHA256_HEX];
	int err = file_read(AT_FDCWD, one->file, SAYS_MAX, c->arena, &text, e);

	if (err < 0)
		return err;
	digest_hex(text.data, text.len, hex);
	strbuf_printf(&says, "component %s ", hex);
	for (size_t i = 0; i < one->names.n; i++) {
		strbuf_json(&says, one->names.items[i].name);
		strbuf_json(&says, one->names.items[i].value);
	}
	struct chain_step *s =
	        add(c, CHAIN_COMPONENT, r, arena_printf(c->arena, "component %s", one->name));
	input_add(&s->inputs, c->arena, arena_printf(c->arena, "file %s", one->file), text.data,
	          text.len, NULL);
	for (size_t i = 0; i < one->names.n; i++)
		input_add(&s->inputs, c->arena,
		          arena_printf(c->arena, "parameter '%s'", one->names.items[i].name),
		          one->names.items[i].value, strlen(one->names.items[i].value), NULL);
	s->network = true;
	s->components = (struct component_list){1, one};
	err = add_fetches(c, s, PHASES_MAKE, &says, e);
	if (err < 0)
		return refuse(c, err, e);
	s->says = says.data;
	return says.overflow ? says_too_much(r, e) : 0;
}

static int add_components(struct chain *c, const struct recipe *r, struct component_list *ret,
                          struct err *e)
{
	struct component_list l;
	int err = component_read(r->components, c->arena, &l, e);

	if (err == 0)
		err = refuse(c, component_offline(&l, e), e);
	for (size_t i = 0; i < l.n && err == 0; i++)
		err = add_component(c, r, &l.items[i], e);
	if (err == 0)
		*ret = l;
	return err;
}

static bool any_tests(const struct component_list *l)
{
	struct component_walk w = {0};

	return component_next(l, PHASES_TEST, &w);
}

static int add_tests(struct chain *c, const struct recipe *r,
                     const struct component_list *components, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, SAYS_MAX);
	struct input_list inputs = {0};
	struct test_list l;
	int err = test_read(r->tests, &r->facts, c->arena, &l, e);

	if (err < 0 || (l.n == 0 && !any_tests(components) && !r->features.n))
		return err;
	for (size_t i = 0; i < r->features.n; i++)
		strbuf_printf(&says, "feature %s\n", r->features.items[i]);
	if (says.data)
		input_add_lines(&inputs, c->arena, says.data);
	strbuf_str(&says, "tests ");
	canon_write(r->tests, &r->facts, &says);
	struct chain_step *s = add(c, CHAIN_TESTS, r, "tests");
	s->tests = l;
	s->components = *components;
	s->network = any_tests(components);
	s->inputs = inputs;
	if (r->tests)
		input_add_doc(&s->inputs, c->arena, r->tests, &r->facts);
	err = add_fetches(c, s, PHASES_TEST, &says, e);
	if (err < 0)
		return refuse(c, err, e);
	s->says = says.data;
	return says.overflow ? says_too_much(r, e) : 0;
}

/* What the recipe itself says is to be there: units it enables, keys it puts by name. */
static void add_allowed(struct chain *c, const struct recipe *r, struct strbuf *says,
                        const char ***list, size_t *n)
{
	static const struct {
		const char *section, *key, *rule;
	} rows[] = {{"units", "name", "enabled-units"}, {"files", "path", "authorized-keys"}};

	if (r->parent)
		add_allowed(c, r->parent, says, list, n);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct doc *d = doc_get(r->sections, rows[k].section);

		for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
			const struct doc *value = doc_get(d->items[i], rows[k].key);
			const char *text;
			struct err none;

			if (!value || vars_expand(&r->facts, value, c->arena, &text, &none) < 0)
				continue;
			*list = arena_grow(c->arena, *list, n, sizeof **list);
			(*list)[*n - 1] =
			        arena_printf(c->arena, "%s:%s%s", rows[k].rule, text,
			                     k == 0 && !strchr(text, '.') ? ".service" : "");
			strbuf_printf(says, "%s\n", (*list)[*n - 1]);
		}
	}
}

const char *const *chain_allowed(const struct recipe *r, struct arena *a)
{
	struct chain c = {.arena = a};
	struct strbuf says = STRBUF(a, SAYS_MAX);
	const char **allow = NULL;
	size_t n = 0;

	add_allowed(&c, r, &says, &allow, &n);
	return arena_grow(a, allow, &n, sizeof *allow); /* the NULL at its end */
}

/* The key of what is below the next step. */
static const char *key_below(const struct chain *c)
{
	char *key = arena_alloc(c->arena, SHA256_HEX);

	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].type != CHAIN_TESTS)
			chain_key(c, i, key, key);
	return key;
}

/* The digest of all that makes the image, whatever it is called and built over. */
static const char *recipe_digest(const struct chain *c)
{
	struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];
	char *hex = arena_alloc(c->arena, SHA256_HEX);

	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].type != CHAIN_TESTS)
			digest_add(d, c->steps[i].says, strlen(c->steps[i].says) + 1);
	digest_sum(d, sum);
	digest_close(d);
	str_hex(sum, sizeof sum, hex);
	return hex;
}

static int add_clean(struct chain *c, const struct recipe *r, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, SAYS_MAX);
	struct input_list inputs = {0};
	const char **allow = NULL;
	size_t n = 0;

	strbuf_str(&says, "clean " HPC_VERSION "\n");
	for (size_t i = 0; hygiene_rule(i); i++)
		strbuf_printf(&says, "%s\n", hygiene_rule(i)->name);
	strbuf_printf(&says, "manifest %s %s %s\n", r->name, r->version,
	              c->lock ? c->lock->sha256 : "");
	/* What is allowed follows from steps below, which tell it better. */
	input_add_lines(&inputs, c->arena, says.data);
	add_allowed(c, r, &says, &allow, &n);
	if (says.overflow)
		return says_too_much(r, e);
	const struct manifest m = {.name = r->name,
	                           .version = r->version,
	                           .arch = r->arch,
	                           .recipe = c->refused.no ? NULL : recipe_digest(c),
	                           .lock = c->lock ? c->lock->sha256 : NULL,
	                           .tree = c->refused.no ? NULL : key_below(c)};
	allow = arena_grow(c->arena, allow, &n, sizeof *allow); /* the NULL at its end */
	struct chain_step *s = add(c, CHAIN_CLEAN, r, "clean");
	s->says = says.data;
	s->allow = allow;
	s->manifest = m;
	s->inputs = inputs;
	return 0;
}

static int add_recipe(struct chain *c, const struct recipe *r, bool top, struct err *e)
{
	struct component_list components = {0};
	int err = r->parent ? add_recipe(c, r->parent, false, e) : add_base(c, r, e);

	if (err == 0)
		err = add_copies(c, r, e);
	if (err == 0)
		err = add_steps(c, r, e);
	if (err == 0)
		err = add_components(c, r, &components, e);
	if (err == 0 && top)
		err = add_clean(c, r, e);
	if (err == 0)
		err = add_tests(c, r, &components, e);
	return err;
}

static int plan(const struct recipe *r, const struct lock *lock, bool outline, struct arena *a,
                struct chain *ret, struct err *e)
{
	struct chain c = {.arena = a, .lock = lock, .outline = outline};
	int err = add_recipe(&c, r, true, e);

	if (err < 0)
		return err;
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

void chain_key(const struct chain *c, size_t i, const char *below, char ret[static SHA256_HEX])
{
	const struct chain_step *s = &c->steps[i];
	const char *const texts[] = {CHAIN_ABI, s->recipe->arch, below, s->says};
	struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];

	for (size_t t = 0; t < ARRAY_LEN(texts); t++)
		digest_add(d, texts[t], strlen(texts[t]) + 1);
	digest_sum(d, sum);
	digest_close(d);
	str_hex(sum, sizeof sum, ret);
}
