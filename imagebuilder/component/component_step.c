/* SPDX-License-Identifier: Apache-2.0 */
/* Iterates over components' steps, and over the rounds of one. */
#include "component/component_own.h"

const char *const component_phases[] = {"build", "validate", "test", NULL};
_Static_assert(ARRAY_LEN(component_phases) == PHASE_COUNT + 1, "each phase has a name");

const char *component_phase_name(enum component_phase p)
{
	return component_phases[p];
}

bool component_next(const struct component_list *l, unsigned phases, struct component_walk *w)
{
	for (; w->phase < PHASE_COUNT; w->phase++, w->nth = 0) {
		if (!(phases & 1U << w->phase))
			continue;
		for (; w->nth < l->n; w->nth++, w->next = 0) {
			struct component *c = &l->items[w->nth];

			while (w->next < c->n) {
				struct component_step *s = &c->steps[w->next++];

				if (s->phase != w->phase)
					continue;
				w->component = c;
				w->step = s;
				return true;
			}
		}
	}
	return false;
}

size_t component_rounds(const struct component_step *s)
{
	return s->loop_over.n ? s->loop_over.n : 1;
}

struct component_round component_round(const struct component *c, struct component_step *s,
                                       size_t i, const struct component_env *env, struct arena *a)
{
	return (struct component_round){
	        .component = c,
	        .step = s,
	        .env = env,
	        .arena = a,
	        .loop_index = i,
	        .loop_value = s->loop_over.n ? s->loop_over.items[i] : NULL,
	};
}

void component_output(const struct component_round *round, const char *text)
{
	struct field_strings *outs = &round->step->outs;

	while (outs->n <= round->input) {
		outs->items =
		        arena_grow(round->env->arena, outs->items, &outs->n, sizeof *outs->items);
		outs->items[outs->n - 1] = "";
	}
	outs->items[round->input] = arena_strdup(round->env->arena, text);
}
