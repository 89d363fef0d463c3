/* SPDX-License-Identifier: Apache-2.0 */
/* The cleaning step, which also writes the manifest and SBOM of the complete image. */
#include <fcntl.h>
#include <stdio.h>

#include "build/chain_own.h"
#include "disk/disk.h"
#include "look/hygiene.h"
#include "look/manifest.h"

struct cleaning {
	const char *const *allow; /* a hygiene_allow */
	struct manifest manifest; /* without the epoch */
};

struct clean_job {
	struct chain_inside inside;
	struct cleaning cleaning;
};

/* ---- what the recipe includes on purpose: units it enables, keys it installs by name ---- */

struct allowed {
	const char **items; /* ends with NULL */
	size_t n;
};

static void allow(struct allowed *l, const char *item, struct arena *a)
{
	l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] = item;
}

static void allow_section(const struct recipe *r, const char *section, const char *key,
                          const char *rule, struct arena *a, struct allowed *l)
{
	const struct doc *d = doc_get(r->sections, section);

	for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
		const struct doc *value = doc_get(d->items[i], key);
		const char *text;
		struct err none;

		if (!value || vars_expand(&r->facts, value, a, &text, &none) < 0)
			continue;
		allow(l, arena_printf(a, "%s:%s", rule, text), a);
	}
}

static void allow_all(const struct recipe *r, struct arena *a, struct allowed *l)
{
	if (r->parent)
		allow_all(r->parent, a, l);
	allow_section(r, "units", "name", "enabled-units", a, l);
	allow_section(r, "files", "path", "authorized-keys", a, l);
	allow_section(r, "files", "path", "sudo-nopasswd", a, l);
	allow_section(r, "files", "path", "user-jobs", a, l);
}

static struct allowed allowed_of(const struct recipe *r, struct arena *a)
{
	struct allowed l = {0};

	allow_all(r, a, &l);
	allow(&l, NULL, a);
	l.n--;
	return l;
}

const char *const *chain_allowed(const struct recipe *r, struct arena *a)
{
	return allowed_of(r, a).items;
}

/* ---- adding ---- */

/* The key of the layer below the next step. */
static const char *key_below(const struct chain *c)
{
	char *key = arena_alloc(c->arena, SHA256_HEX);

	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].type->layer)
			chain_key(c, i, key, key);
	return key;
}

/* The digest of everything that decides the image, independent of its name and of the store. */
static const char *recipe_digest(const struct chain *c)
{
	struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];
	char *hex = arena_alloc(c->arena, SHA256_HEX);

	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].type->layer)
			digest_add(d, c->steps[i].says, strlen(c->steps[i].says) + 1);
	digest_sum(d, sum);
	digest_close(d);
	str_hex(sum, sizeof sum, hex);
	return hex;
}

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	struct strbuf says = STRBUF(c->arena, CHAIN_SAYS_MAX);
	struct allowed allowed = allowed_of(recipe, c->arena);
	struct cleaning *data = arena_alloc(c->arena, sizeof *data);
	struct input_list inputs = {0};

	*data = (struct cleaning){
	        .allow = allowed.items,
	        .manifest = {.name = recipe->name,
	                     .version = recipe->version,
	                     .arch = recipe->arch,
	                     .recipe = c->refused.no ? NULL : recipe_digest(c),
	                     .lock = c->lock ? c->lock->sha256 : NULL,
	                     .tree = c->refused.no ? NULL : key_below(c)},
	};
	strbuf_str(&says, "clean " HPC_VERSION "\n");
	for (size_t i = 0; hygiene_rule(i); i++)
		strbuf_printf(&says, "%s\n", hygiene_rule(i)->name);
	strbuf_printf(&says, "manifest %s %s %s\n", recipe->name, recipe->version,
	              c->lock ? c->lock->sha256 : "");
	/* What is allowed follows from steps below, whose own inputs explain a change better. */
	input_add_lines(&inputs, c->arena, says.data);
	for (size_t i = 0; i < allowed.n; i++)
		strbuf_printf(&says, "%s\n", allowed.items[i]);
	struct chain_step *s = chain_add(c, &chain_clean, recipe, "clean", data);
	s->inputs = inputs;
	return chain_says(s, &says, e);
}

/* ---- making, from outside: nothing of a running system may cover the image's files ---- */

static const struct sandbox_job clean_job; /* below */

static int make(const struct chain_making *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct clean_job job = {.inside = chain_inside(m, a),
	                        .cleaning = *(const struct cleaning *)m->step->data};

	return chain_run(m, &clean_job, &job, e);
}

static void parcel(struct parcel *p, void *arg)
{
	struct clean_job *job = arg;
	struct manifest *m = &job->cleaning.manifest;
	const char **const texts[] = {&m->name,   &m->version, &m->arch,
	                              &m->recipe, &m->lock,    &m->tree};

	chain_inside_parcel(p, &job->inside);
	parcel_list(p, &job->cleaning.allow);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		parcel_text(p, texts[i]);
}

/* Writes the manifest and SBOM into the image, and the SBOM beside the layer's tree. */
static int tell_content(const struct clean_job *job, struct host *h, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct manifest m = job->cleaning.manifest;
	int r = disk_epoch(job->inside.layers, &m.epoch, e);

	if (r < 0)
		return r;
	r = manifest_write(h, &m, e);
	if (r < 0)
		return r;
	return sbom_write(arena_printf(a, "%s/" CHAIN_SBOM, job->inside.dir), host_root_fd(h), &m,
	                  NULL, e);
}

static int finish(const struct clean_job *job, struct host *h, struct err *e)
{
	int r = hygiene_finish(h, job->cleaning.allow, e);

	if (r < 0)
		return r;
	return tell_content(job, h, e);
}

static int run(void *arg, struct err *e)
{
	const struct clean_job *job = arg;
	struct host *h;
	int r = chain_open_joined(&job->inside, &h, e);

	if (r < 0)
		return r;
	r = finish(job, h, e);
	host_close(h);
	return r;
}

static const struct sandbox_job clean_job = {
        .name = "clean", .size = sizeof(struct clean_job), .parcel = parcel, .run = run};

const struct chain_type chain_clean = {.job = &clean_job,
                                       .name = "clean",
                                       .layer = true,
                                       .outside = true,
                                       .last = true,
                                       .has_sbom = true,
                                       .add = add,
                                       .make = make};
