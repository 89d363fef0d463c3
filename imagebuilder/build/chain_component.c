/* SPDX-License-Identifier: Apache-2.0 */
/* A component: its phases build and validate, run in the image. */
#include <fcntl.h>

#include "base/file.h"
#include "build/chain_own.h"

struct component_job {
	struct chain_inside inside;
	struct chain_documents documents; /* one */
};

/* The key covers its document as written, and its parameters. */
static int says(struct chain *c, struct chain_step *s, const struct component *one, struct err *e)
{
	struct strbuf text = STRBUF(c->arena, CHAIN_SAYS_MAX);
	struct blob document;
	char hex[SHA256_HEX];
	int r = file_read(AT_FDCWD, one->file, CHAIN_SAYS_MAX, c->arena, &document, e);

	if (r < 0)
		return r;
	digest_hex(document.data, document.len, hex);
	input_add(&s->inputs, c->arena, arena_printf(c->arena, "file %s", one->file), document.data,
	          document.len, NULL);
	strbuf_printf(&text, "component %s ", hex);
	for (size_t i = 0; i < one->names.n; i++) {
		const struct var *v = &one->names.items[i];

		strbuf_json(&text, v->name);
		strbuf_json(&text, v->value);
		input_add(&s->inputs, c->arena, arena_printf(c->arena, "parameter '%s'", v->name),
		          v->value, strlen(v->value), NULL);
	}
	const struct component_list list = {1, (struct component *)(uintptr_t)one};
	r = chain_component_fetches(c, s, &list, PHASES_MAKE, &text, e);
	if (r < 0)
		return chain_refuse(c, r, e);
	return chain_says(s, &text, e);
}

static int add(struct chain *c, const struct recipe *recipe, struct err *e)
{
	for (size_t i = 0; i < c->components.n; i++) {
		struct component *one = &c->components.items[i];
		struct chain_step *s =
		        chain_add(c, &chain_component, recipe,
		                  arena_printf(c->arena, "component %s", one->name), one);

		s->network = true;
		int r = says(c, s, one, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t timeout_ms(const struct chain_step *s)
{
	(void)s;
	return CHAIN_COMPONENT_MS;
}

static const struct sandbox_job component_job; /* below */

static int make(const struct chain_making *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct component_list list = {1, m->step->data};
	struct component_job job = {.inside = chain_inside(m, a),
	                            .documents = chain_documents(&list, a)};

	return chain_run(m, &component_job, &job, e);
}

static void parcel(struct parcel *p, void *arg)
{
	struct component_job *job = arg;

	chain_inside_parcel(p, &job->inside);
	chain_documents_parcel(p, &job->documents);
}

static int run(void *arg, struct err *e)
{
	const struct component_job *job = arg;
	struct host *h;
	int r = chain_open_image(&job->inside, &h, e);

	if (r < 0)
		return r;
	r = chain_run_components(&job->documents, PHASES_MAKE, &job->inside, h, e);
	host_close(h);
	return r;
}

static const struct sandbox_job component_job = {
        .name = "component", .size = sizeof(struct component_job), .parcel = parcel, .run = run};

const struct chain_type chain_component = {.job = &component_job,
                                           .name = "component",
                                           .layer = true,
                                           .add = add,
                                           .make = make,
                                           .timeout_ms = timeout_ms};
