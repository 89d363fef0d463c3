/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out one step of a chain in the sandbox. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "build/chain.h"
#include "disk/disk.h"
#include "look/hygiene.h"
#include "plan/run.h"
#include "recipe/feature.h"
#include "store/volatile.h"

#define MARGIN_MS 15000 /* more than the engine takes to end a step at its deadline */

struct inside {
	const struct chain_step *step;
	const char *const *layers;
	const char *dir;
	uint64_t deadline;
};

/* What is logged inside belongs into the layer's log, by way of stderr. */
static void log_line(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)ctx, (void)level, (void)fields, (void)n;
	fprintf(stderr, "%s\n", text);
}

/* ---- the copies: below the image, as they come from this machine ---- */

static int copy_inside(void *ctx, struct err *e)
{
	const struct inside *in = ctx;
	char root[SANDBOX_ROOT];
	struct host *h;
	int r = sandbox_join(in->layers, in->dir, root, e);

	if (r == 0)
		r = host_open(root, HOST_LIVE, &h, e);
	if (r < 0)
		return r;
	r = copy_apply(&in->step->copies, h, e);
	host_close(h);
	return r;
}

/* ---- cleaning, from outside too: nothing of a running system may lie over the image ---- */

/* What is in the image, into it and beside the layer's tree. */
static int tell_content(const struct inside *in, struct host *h, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct manifest m = in->step->manifest;
	int r = disk_epoch(in->layers, &m.epoch, e);

	if (r == 0)
		r = manifest_write(h, &m, e);
	return r < 0 ? r
	             : sbom_write(arena_printf(a, "%s/" CHAIN_SBOM, in->dir), host_root_fd(h), &m,
	                          NULL, e);
}

static int clean_inside(void *ctx, struct err *e)
{
	const struct inside *in = ctx;
	char root[SANDBOX_ROOT];
	struct host *h;
	int r = sandbox_join(in->layers, in->dir, root, e);

	if (r == 0)
		r = host_open(root, HOST_LIVE, &h, e);
	if (r < 0)
		return r;
	r = hygiene_finish(h, in->step->allow, e);
	if (r == 0)
		r = tell_content(in, h, e);
	host_close(h);
	return r;
}

/* ---- in the image ---- */

static int open_image(struct host **ret, struct err *e)
{
	int r = host_open("/", HOST_LIVE, ret, e);

	if (r == 0)
		host_set_offline(*ret);
	return r;
}

/* What was fetched for the step, and nothing else. */
static struct cloud *open_kept(const struct component_fetches *l, struct arena *a)
{
	struct cloud_kept *kept = arena_array(a, l->n + 1, sizeof *kept);

	for (size_t i = 0; i < l->n; i++)
		kept[i] = (struct cloud_kept){l->items[i].uri, l->items[i].fd};
	return cloud_open_kept(kept, l->n);
}

static int step_inside(void *ctx, struct err *e)
{
	const struct inside *in = ctx;
	const struct plan *plan = &in->step->one;
	scope_arena struct arena *a = arena_new();
	struct run_options o = {.facts = &in->step->recipe->facts, .deadline = in->deadline};
	struct run_result res;
	int r = open_image(&o.host, e);

	if (r < 0)
		return r;
	log_set_sink(log_line, NULL, LOG_LEVEL_DEBUG);
	o.cloud = open_kept(&in->step->fetches, a);
	r = plan_run(plan, &o, a, &res, e);
	cloud_close(o.cloud);
	host_close(o.host);
	if (r < 0)
		return r;
	const struct step_outcome *out = &res.outcomes[0];
	for (size_t i = 0; i < out->changes.n; i++)
		fprintf(stderr, "changed: %s\n", out->changes.items[i]);
	if (out->state == STEP_OK || out->state == STEP_CHANGED)
		return 0;
	if (out->err.no) {
		*e = out->err;
		return -e->no;
	}
	return err_set(e, ERR_HOST, REASON_INTERRUPTED, EINTR, "the step was not carried out");
}

static void say_component(void *ctx, const struct component *c, const struct component_step *s)
{
	(void)ctx;
	fprintf(stderr, "component %s: %s.%s\n", c->name, component_phase_name(s->phase), s->name);
}

static int run_components(const struct inside *in, struct host *h, unsigned phases, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct component_env env = {
	        .host = h,
	        .cloud = open_kept(&in->step->fetches, a),
	        .arena = a,
	        .deadline = in->deadline,
	        .step = say_component,
	};

	log_set_sink(log_line, NULL, LOG_LEVEL_DEBUG);
	int r = components_run(&in->step->components, phases, &env, e);
	cloud_close(env.cloud);
	if (r > 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "a component asks for a restart, and nothing runs here");
	return r;
}

static int component_inside(void *ctx, struct err *e)
{
	const struct inside *in = ctx;
	struct host *h;
	int r = open_image(&h, e);

	if (r < 0)
		return r;
	r = run_components(in, h, PHASES_MAKE, e);
	host_close(h);
	return r;
}

static int tests_inside(void *ctx, struct err *e)
{
	const struct inside *in = ctx;
	const struct test_list *l = &in->step->tests;
	struct host *h;
	int r = open_image(&h, e);

	if (r < 0)
		return r;
	r = feature_prove(in->step->recipe, host_root_fd(h), e);
	for (size_t i = 0; i < l->n && r == 0; i++) {
		fprintf(stderr, "test: %s\n", l->items[i].name);
		r = test_run(&l->items[i], h, clock_in_ms(l->items[i].timeout_ms), e);
	}
	if (r == 0)
		r = run_components(in, h, PHASES_TEST, e);
	host_close(h);
	return r;
}

static uint64_t timeout_of(const struct chain_step *s)
{
	uint64_t ms = CHAIN_BASE_MS;

	if (s->type == CHAIN_STEP)
		ms = s->one.steps[0]->policy.timeout_ms;
	if (s->type == CHAIN_COMPONENT)
		ms = CHAIN_COMPONENT_MS;
	for (size_t i = 0; s->type == CHAIN_TESTS && i < s->tests.n; i++)
		ms += s->tests.items[i].timeout_ms;
	return ms;
}

/* What tests leave behind is not part of the image. */
static int forget_tree(const struct layer *l, struct err *e)
{
	store_remove(l->tree);
	return mkdir(l->tree, 0755) < 0 ? err_errno(e, errno, "making '%s'", l->tree) : 0;
}

int chain_make(const struct chain *c, size_t i, const char *const *layers, struct layer *l,
               struct err *e)
{
	static int (*const mains[])(void *, struct err *) = {[CHAIN_COPY] = copy_inside,
	                                                     [CHAIN_STEP] = step_inside,
	                                                     [CHAIN_COMPONENT] = component_inside,
	                                                     [CHAIN_CLEAN] = clean_inside,
	                                                     [CHAIN_TESTS] = tests_inside};
	const struct chain_step *s = &c->steps[i];
	uint64_t deadline = clock_in_ms(timeout_of(s));
	struct inside in = {.step = s, .layers = layers, .dir = l->dir, .deadline = deadline};
	bool outside = s->type == CHAIN_COPY || s->type == CHAIN_CLEAN;
	struct sandbox box = {.layers = outside ? NULL : layers,
	                      .dir = l->dir,
	                      .network = s->network,
	                      .main = mains[s->type],
	                      .ctx = &in,
	                      .deadline = clock_in_ms(timeout_of(s) + MARGIN_MS),
	                      .line = layer_log,
	                      .line_ctx = l};
	struct component_fetches fetches = s->fetches;
	int r = lock_open_files(&fetches, c->store, c->source, deadline, e);

	if (r == 0)
		r = s->type == CHAIN_BASE
		            ? base_make(&s->base, l->tree, c->store, deadline, layer_log, l, e)
		            : sandbox_run(&box, e);
	lock_close_files(&fetches);
	if (r == 0 && s->type == CHAIN_TESTS)
		r = forget_tree(l, e);
	if (r == 0)
		volatile_remove(l->tree);
	return r;
}
