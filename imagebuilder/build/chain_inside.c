/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the jobs of a chain: running one, passing its input, opening the image. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "build/chain_own.h"

#define MARGIN_NS 15000000000ULL /* more than the engine needs to end a step at its deadline */

/* ---- passing their input ---- */

int chain_run(const struct chain_making *m, const struct sandbox_job *job, void *arg, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	int *fds = arena_array(a, m->fetches->n + 1, sizeof *fds);
	const struct sandbox box = {.layers = m->step->type->outside ? NULL : m->layers,
	                            .dir = m->layer->dir,
	                            .network = m->step->network,
	                            .job = job,
	                            .arg = arg,
	                            .fds = fds,
	                            .n_fds = m->fetches->n,
	                            .deadline = m->deadline + MARGIN_NS,
	                            .line = layer_log,
	                            .line_ctx = m->layer};

	for (size_t i = 0; i < m->fetches->n; i++)
		fds[i] = m->fetches->items[i].fd;
	return sandbox_run(&box, e);
}

struct chain_inside chain_inside(const struct chain_making *m, struct arena *a)
{
	struct chain_inside in = {.layers = m->layers,
	                          .dir = m->layer->dir,
	                          .deadline = m->deadline,
	                          .epoch = (uint64_t)m->epoch};

	in.fetched.n = m->fetches->n;
	in.fetched.items = arena_array(a, in.fetched.n + 1, sizeof *in.fetched.items);
	for (size_t i = 0; i < in.fetched.n; i++)
		in.fetched.items[i] = m->fetches->items[i].uri;
	return in;
}

void chain_inside_parcel(struct parcel *p, struct chain_inside *in)
{
	parcel_list(p, &in->layers);
	parcel_text(p, &in->dir);
	parcel_u64(p, &in->deadline);
	parcel_u64(p, &in->epoch);
	parcel_texts(p, &in->fetched);
}

void chain_recipe_parcel(struct parcel *p, struct recipe *r)
{
	parcel_text(p, &r->file);
	parcel_texts(p, &r->features);
	parcel_doc(p, &r->image);
	parcel_doc(p, &r->sections);
	parcel_doc(p, &r->tests);
	parcel_vars(p, &r->facts);
}

struct chain_documents chain_documents(const struct component_list *l, struct arena *a)
{
	struct chain_documents ret = {.n = l->n};

	ret.items = arena_array(a, l->n + 1, sizeof *ret.items);
	for (size_t i = 0; i < l->n; i++)
		ret.items[i] = (struct chain_document){l->items[i].file, l->items[i].at,
		                                       l->items[i].given};
	return ret;
}

void chain_documents_parcel(struct parcel *p, struct chain_documents *l)
{
	parcel_size(p, &l->n);
	l->items = parcel_array(p, l->items, l->n, sizeof *l->items);
	for (size_t i = 0; i < l->n; i++) {
		struct chain_document *d = &l->items[i];

		parcel_text(p, &d->file);
		parcel_doc(p, &d->doc);
		parcel_size(p, &d->given.n);
		d->given.items =
		        parcel_array(p, d->given.items, d->given.n, sizeof *d->given.items);
		for (size_t k = 0; k < d->given.n; k++) {
			parcel_text(p, &d->given.items[k].name);
			parcel_text(p, &d->given.items[k].value);
			parcel_doc(p, &d->given.items[k].at);
		}
	}
}

/* ---- the image ---- */

static void log_line(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)ctx, (void)level, (void)fields, (void)n;
	fprintf(stderr, "%s\n", text);
}

void chain_log_inside(void)
{
	log_set_sink(log_line, NULL, LOG_LEVEL_DEBUG);
}

int chain_open_image(const struct chain_inside *in, struct host **ret, struct err *e)
{
	int r = host_open("/", HOST_LIVE, ret, e);

	if (r < 0)
		return r;
	host_set_offline(*ret);
	host_set_epoch(*ret, (int64_t)in->epoch);
	return 0;
}

int chain_open_joined(const struct chain_inside *in, struct host **ret, struct err *e)
{
	char root[SANDBOX_ROOT];
	int r = sandbox_join(in->layers, in->dir, root, e);

	if (r < 0)
		return r;
	return host_open(root, HOST_LIVE, ret, e);
}

struct cloud *chain_open_fetched(const struct chain_inside *in, struct arena *a)
{
	struct cloud_kept *kept = arena_array(a, in->fetched.n + 1, sizeof *kept);

	for (size_t i = 0; i < in->fetched.n; i++)
		kept[i] = (struct cloud_kept){in->fetched.items[i], SANDBOX_FD + (int)i};
	return cloud_open_kept(kept, in->fetched.n);
}

/* ---- components ---- */

static void say_component(void *ctx, const struct component *c, const struct component_step *s)
{
	(void)ctx;
	fprintf(stderr, "component %s: %s.%s\n", c->name, component_phase_name(s->phase), s->name);
}

static int read_documents(const struct chain_documents *l, struct arena *a,
                          struct component_list *ret, struct err *e)
{
	ret->n = l->n;
	ret->items = arena_array(a, l->n + 1, sizeof *ret->items);
	for (size_t i = 0; i < l->n; i++) {
		const struct chain_document *d = &l->items[i];
		int r = component_read_document(d->file, d->doc, &d->given, a, &ret->items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int chain_run_components(const struct chain_documents *l, unsigned phases,
                         const struct chain_inside *in, struct host *h, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct component_env env = {
	        .host = h, .arena = a, .deadline = in->deadline, .step = say_component};
	struct component_list components;
	int r = read_documents(l, a, &components, e);

	if (r < 0)
		return r;
	chain_log_inside();
	env.cloud = chain_open_fetched(in, a);
	r = components_run(&components, phases, &env, e);
	cloud_close(env.cloud);
	if (r > 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "a component asks for a restart, and nothing runs here");
	return r;
}
