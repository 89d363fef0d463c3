/* SPDX-License-Identifier: Apache-2.0 */
/* The cleaning step, which also writes the manifest and SBOM of the complete image. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/file.h"
#include "build/chain_own.h"
#include "build/intent.h"
#include "data/json.h"
#include "disk/disk.h"
#include "look/manifest.h"

struct cleaning {
	struct hygiene_intent intent;
	struct manifest manifest; /* without the epoch, and what was cleaned */
};

struct clean_job {
	struct chain_inside inside;
	struct cleaning cleaning;
};

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
	struct cleaning *data = arena_alloc(c->arena, sizeof *data);
	struct input_list inputs = {0};
	struct hygiene_intent intent;
	int r = intent_read(recipe, NULL, c->arena, &intent, e);

	if (r < 0)
		return r;
	*data = (struct cleaning){
	        .intent = intent,
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
	/* What else is allowed follows from steps below, whose own inputs explain a change better. */
	input_add_lines(&inputs, c->arena, says.data);
	if (recipe->allow)
		input_add_doc(&inputs, c->arena, recipe->allow, &recipe->facts);
	for (size_t i = 0; i < intent.n; i++)
		strbuf_printf(&says, "%s:%s:%s\n", intent.allow[i].rule, intent.allow[i].path,
		              intent.allow[i].reason);
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

static void parcel_intent(struct parcel *p, struct hygiene_intent *in)
{
	struct hygiene_allow *rows;

	parcel_size(p, &in->n);
	rows = parcel_array(p, (void *)(uintptr_t)in->allow, in->n, sizeof *rows);
	for (size_t i = 0; i < in->n; i++) {
		parcel_text(p, &rows[i].rule);
		parcel_text(p, &rows[i].path);
		parcel_text(p, &rows[i].reason);
		parcel_bool(p, &rows[i].implied);
	}
	in->allow = rows;
	parcel_texts(p, &in->declared);
}

static void parcel(struct parcel *p, void *arg)
{
	struct clean_job *job = arg;
	struct manifest *m = &job->cleaning.manifest;
	const char **const texts[] = {&m->name,   &m->version, &m->arch,
	                              &m->recipe, &m->lock,    &m->tree};

	chain_inside_parcel(p, &job->inside);
	parcel_intent(p, &job->cleaning.intent);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		parcel_text(p, texts[i]);
}

/* What was found, for who built it: beside the layer's tree, whether the step fails or not. */
static int write_report(const struct clean_job *job, const struct hygiene_report *report,
                        struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, JSON_SIZE_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	hygiene_json(&w, report, &job->cleaning.intent, a);
	jsonw_end(&w, '}');
	if (out.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "telling what was cleaned: more than %d bytes", JSON_SIZE_MAX);
	return file_replace(AT_FDCWD, arena_printf(a, "%s/" CHAIN_REPORT, job->inside.dir),
	                    out.data, out.len, &attr, e);
}

/* Writes the manifest and SBOM into the image, and the SBOM beside the layer's tree. */
static int tell_content(const struct clean_job *job, struct host *h,
                        const struct hygiene_report *report, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct manifest m = job->cleaning.manifest;
	int r = disk_epoch(job->inside.layers, &m.epoch, e);

	if (r < 0)
		return r;
	m.hygiene = report;
	r = manifest_write(h, &m, e);
	if (r < 0)
		return r;
	return sbom_write(arena_printf(a, "%s/" CHAIN_SBOM, job->inside.dir), host_root_fd(h), &m,
	                  NULL, e);
}

static int clean(const struct clean_job *job, struct host *h, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct hygiene_intent intent =
	        hygiene_intent_in(host_root_fd(h), &job->cleaning.intent, a);
	struct hygiene_report report;
	int r = hygiene_finish(h, &intent, a, &report, e);

	if (r < 0)
		return r;
	r = write_report(job, &report, e);
	if (r < 0)
		return r;
	r = hygiene_refuse(&report.left, e);
	return r < 0 ? r : tell_content(job, h, &report, e);
}

static int run(void *arg, struct err *e)
{
	const struct clean_job *job = arg;
	struct host *h;
	int r = chain_open_joined(&job->inside, &h, e);

	if (r < 0)
		return r;
	r = clean(job, h, e);
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
