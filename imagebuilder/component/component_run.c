/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a component's steps: rounds, attempts, and the effects of a failure. */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "component/component_own.h"

/* Adds which step it was to the message. */
static int where(const struct component_step *s, struct err *e)
{
	const struct doc *at = s->at;

	/* An error in the text already has its own place. */
	if (e->kind == ERR_INPUT && str_starts(e->text, at->file))
		return -e->no;
	return err_wrap(e, "%s:%u:%u: step '%s.%s'", at->file, at->line, at->col,
	                component_phase_name(s->phase), s->name);
}

/* 0, 1 for a restart, <0. After a restart the step is run again from its beginning. */
static int round_once(struct component_round *round, struct err *e)
{
	struct component_step *s = round->step;
	enum component_verdict verdict = VERDICT_EXECUTE;
	struct doc *inputs = NULL;
	int r = component_verdict(round, &verdict, e);

	if (r < 0 || verdict == VERDICT_SKIP)
		return r;
	if (verdict == VERDICT_ABORT)
		return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, ECANCELED,
		               "its condition says Abort");
	if (s->inputs) {
		r = component_expand(round, s->inputs, &inputs, e);
		if (r < 0)
			return r;
	}
	s->ran = inputs;
	return component_action_each(round, inputs, true, e);
}

static int tries(struct component_round *round, struct err *e)
{
	const struct component_step *s = round->step;
	int r = 0;

	for (int64_t i = 0; i < s->attempts; i++) {
		round->deadline = clock_min(round->env->deadline, clock_in_ms(s->timeout_ms));
		r = round_once(round, e);
		if (r >= 0 || e->kind == ERR_INPUT || clock_passed(round->env->deadline))
			break;
		if (i + 1 < s->attempts)
			log_notice("step '%s': %s; trying again", s->name, e->text);
	}
	return r;
}

static int run_step(const struct component *c, struct component_step *s,
                    const struct component_env *env, struct err *e)
{
	for (size_t i = 0; i < component_rounds(s); i++) {
		struct component_round round = component_round(c, s, i, env, env->arena);
		int r = tries(&round, e);

		if (r != 0)
			return r;
	}
	return 0;
}

/* Restores a step that ran before a restart: later ones may refer to its inputs, as in its last
 * round. */
static int recall(const struct component *c, struct component_step *s,
                  const struct component_env *env, struct err *e)
{
	struct component_round round =
	        component_round(c, s, component_rounds(s) - 1, env, env->arena);
	struct doc *inputs = NULL;

	if (s->inputs) {
		int r = component_expand(&round, s->inputs, &inputs, e);

		if (r < 0)
			return r;
	}
	s->ran = inputs;
	return 0;
}

/* 0: continue, also after a failure that is kept in `ret_first`; 1: a restart; <0: stop here. */
static int run_one(struct component_walk *w, const struct component_env *env, struct err *ret_first,
                   struct err *e)
{
	struct component_step *s = w->step;

	if (s->done)
		return recall(w->component, s, env, e);
	if (env->step)
		env->step(env->ctx, w->component, s);
	int r = run_step(w->component, s, env, e);
	if (r > 0)
		return 1;
	s->done = true;
	if (r == 0)
		return 0;
	where(s, e);
	if (s->on_failure == FAILURE_ABORT)
		return -e->no;
	log_warning("%s", e->text);
	if (s->on_failure == FAILURE_CONTINUE && !ret_first->no)
		*ret_first = *e;
	return 0;
}

int components_run(const struct component_list *l, unsigned phases, const struct component_env *env,
                   struct err *e)
{
	struct component_walk w = {0};
	struct component_walk before = {0};
	struct err first = {0};

	for (size_t i = 0; phases & 1U << PHASE_BUILD && i < l->n; i++)
		for (size_t k = 0; k < l->items[i].notes.n; k++)
			log_notice("%s", l->items[i].notes.items[k]);
	while (component_next(l, phases, &w)) {
		/* A failure that was continued fails its component at the end of that phase. */
		if (first.no && (w.phase != before.phase || w.nth != before.nth))
			break;
		before = w;
		int r = run_one(&w, env, &first, e);
		if (r != 0)
			return r;
	}
	if (!first.no)
		return 0;
	*e = first;
	return -e->no;
}
