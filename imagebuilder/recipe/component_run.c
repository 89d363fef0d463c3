/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out a component's steps: rounds, tries, and what a failure means. */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "recipe/component_own.h"

static int where(const struct component_step *s, struct err *e)
{
	const struct doc *at = s->at;

	/* A fault of the text has its own place already. */
	if (e->kind == ERR_INPUT && str_starts(e->text, at->file))
		return -e->no;
	return err_wrap(e, "%s:%u:%u: step '%s.%s'", at->file, at->line, at->col,
	                component_phase_name(s->phase), s->name);
}

/* 0, 1 for a restart, <0. A restart leaves *skipped alone: the step is run again. */
static int round_once(struct component_round *r, struct err *e)
{
	struct component_step *s = r->step;
	enum component_verdict verdict = VERDICT_EXECUTE;
	struct doc *inputs = NULL, *condition;
	int err = 0;

	if (s->condition) {
		err = component_expand(r, s->condition, &condition, e);
		if (err == 0)
			err = component_if(r, condition, &verdict, e);
	}
	if (err < 0 || verdict == VERDICT_SKIP)
		return err;
	if (verdict == VERDICT_ABORT)
		return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, ECANCELED,
		               "its condition says Abort");
	if (s->inputs)
		err = component_expand(r, s->inputs, &inputs, e);
	s->ran = inputs;
	return err < 0 ? err : component_action_each(r, inputs, true, e);
}

static int tries(struct component_round *r, struct err *e)
{
	int err = 0;

	for (int64_t i = 0; i < r->step->attempts; i++) {
		r->deadline = clock_min(r->env->deadline, clock_in_ms(r->step->timeout_ms));
		err = round_once(r, e);
		if (err >= 0 || e->kind == ERR_INPUT || clock_passed(r->env->deadline))
			break;
		if (i + 1 < r->step->attempts)
			log_notice("step '%s': %s; trying again", r->step->name, e->text);
	}
	return err;
}

static int run_step(const struct component *c, struct component_step *s,
                    const struct component_env *env, struct err *e)
{
	size_t rounds = s->loop_over.n ? s->loop_over.n : 1;
	int err = 0;

	for (size_t i = 0; i < rounds && err == 0; i++) {
		struct component_round r = {
		        .component = c,
		        .step = s,
		        .env = env,
		        .arena = env->arena,
		        .loop_index = i,
		        .loop_value = s->loop_over.n ? s->loop_over.items[i] : NULL,
		};

		err = tries(&r, e);
	}
	return err;
}

/* A step of before a restart: later ones may refer to its inputs, as its last round had them. */
static int recall(const struct component *c, struct component_step *s,
                  const struct component_env *env, struct err *e)
{
	size_t n = s->loop_over.n;
	struct component_round r = {
	        .component = c,
	        .step = s,
	        .env = env,
	        .arena = env->arena,
	        .loop_index = n ? n - 1 : 0,
	        .loop_value = n ? s->loop_over.items[n - 1] : NULL,
	};
	struct doc *inputs = NULL;
	int err = s->inputs ? component_expand(&r, s->inputs, &inputs, e) : 0;

	if (err == 0)
		s->ran = inputs;
	return err;
}

int component_run(struct component *c, enum component_phase phase, const struct component_env *env,
                  struct err *e)
{
	struct err first = {0};

	for (size_t i = 0; i < c->n; i++) {
		struct component_step *s = &c->steps[i];

		if (s->phase != phase)
			continue;
		if (s->done) {
			int r = recall(c, s, env, e);
			if (r < 0)
				return r;
			continue;
		}
		if (env->step)
			env->step(env->ctx, c, s);
		int r = run_step(c, s, env, e);
		if (r > 0)
			return 1;
		s->done = true;
		if (r == 0)
			continue;
		where(s, e);
		if (s->on_failure == FAILURE_ABORT)
			return -e->no;
		log_warning("%s", e->text);
		if (s->on_failure == FAILURE_CONTINUE && !first.no)
			first = *e;
	}
	if (!first.no)
		return 0;
	*e = first;
	return -e->no;
}
