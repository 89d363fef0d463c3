/* SPDX-License-Identifier: Apache-2.0 */
/* What `{{ }}` in component documents refers to, put in. */
#include "recipe/component_own.h"

#define TEXT_MAX (1024 * 1024)

static const struct component_step *earlier_step(const struct component_round *round,
                                                 const char *name, size_t len)
{
	const struct component *c = round->component;

	for (size_t i = 0; i < c->n && &c->steps[i] != round->step; i++) {
		const char *phase = component_phase_name(c->steps[i].phase);
		size_t n = strlen(phase);

		if (len > n + 1 && strncmp(name, phase, n) == 0 && name[n] == '.' &&
		    strlen(c->steps[i].name) == len - n - 1 &&
		    strncmp(name + n + 1, c->steps[i].name, len - n - 1) == 0)
			return &c->steps[i];
	}
	return NULL;
}

/* "inputs[0].destination", or "inputs.path" where there is one map. */
static const char *input_of(const struct component_round *round, const struct component_step *s,
                            const char *rest)
{
	const struct doc *d = s->ran;
	uint64_t i = 0;

	if (rest[0] == '[') {
		size_t len = strspn(rest + 1, "0123456789");

		if (rest[len + 1] != ']' ||
		    str_u64(arena_memdup(round->arena, rest + 1, len), 0, 10000, &i) < 0)
			return NULL;
		rest += len + 2;
		if (!d || d->type != DOC_LIST || i >= d->n)
			return NULL;
		d = d->items[i];
	}
	return rest[0] == '.' ? doc_text(d, rest + 1) : NULL;
}

static void not_known(const struct component_round *round)
{
	if (!round->env && round->unknown)
		*round->unknown = true;
}

static const char *chained(const struct component_round *round, const char *name)
{
	const char *outputs = strstr(name, ".outputs."), *inputs = strstr(name, ".inputs");
	const char *end = outputs ? outputs : inputs;
	const struct component_step *s =
	        end ? earlier_step(round, name, (size_t)(end - name)) : NULL;

	if (!s)
		return NULL;
	if (inputs) {
		const char *value = input_of(round, s, inputs + strlen(".inputs"));

		/* Of a loop these are the last round's, once it has run. */
		if (value && (s->loop_over.n > 1 || strstr(value, COMPONENT_UNKNOWN)))
			not_known(round);
		return value;
	}
	if (!str_eq(outputs, ".outputs.stdout"))
		return NULL;
	not_known(round);
	if (!round->env)
		return COMPONENT_UNKNOWN;
	return s->out ? s->out : "";
}

static const char *meaning(const struct component_round *round, const char *name)
{
	const char *value = vars_get(&round->component->names, name);
	const char *dot = strrchr(name, '.');

	if (value)
		return value;
	if (round->loop_value && dot) {
		size_t len = (size_t)(dot - name);
		bool mine = (len == 4 && strncmp(name, "loop", len) == 0) ||
		            (strlen(round->step->loop_name) == len &&
		             strncmp(name, round->step->loop_name, len) == 0);

		if (mine && str_eq(dot, ".value"))
			return round->loop_value;
		if (mine && str_eq(dot, ".index"))
			return arena_printf(round->arena, "%zu", round->loop_index);
	}
	return chained(round, name);
}

static int unknown(const struct component_round *round, const struct doc *at, const char *name,
                   struct err *e)
{
	const struct vars *v = &round->component->names;
	const char **names = arena_array(round->arena, v->n, sizeof *names);

	for (size_t i = 0; i < v->n; i++)
		names[i] = v->items[i].name;
	const char *near = str_nearest(name, names, v->n);
	if (near)
		return doc_err(at, e, REASON_INPUT_FACT,
		               "unknown name '{{ %s }}', did you mean '{{ %s }}'?", name, near);
	return doc_err(at, e, REASON_INPUT_FACT,
	               "unknown name '{{ %s }}', expected a constant, a parameter, loop.index, "
	               "loop.value, or PHASE.STEP.outputs.stdout of a step before this one",
	               name);
}

static int expand_text(const struct component_round *round, const struct doc *at, const char **ret,
                       struct err *e)
{
	struct strbuf out = STRBUF(round->arena, TEXT_MAX);
	const char *p = at->text, *open;

	for (; (open = strstr(p, "{{")); p = strstr(open, "}}") + 2) {
		const char *close = strstr(open, "}}"), *from = open + 2;

		if (!close)
			return doc_err(at, e, REASON_INPUT_SYNTAX, "'{{' without '}}'");
		from += strspn(from, " \t");
		size_t len = (size_t)(close - from);
		while (len && strchr(" \t", from[len - 1]))
			len--;
		const char *name = arena_memdup(round->arena, from, len);
		const char *value = meaning(round, name);
		if (!value)
			return unknown(round, at, name, e);
		strbuf_add(&out, p, (size_t)(open - p));
		strbuf_str(&out, value);
	}
	strbuf_str(&out, p);
	if (out.overflow)
		return doc_err(at, e, REASON_INPUT_LIMIT, "the text is too long with all put in");
	*ret = out.data ? out.data : "";
	return 0;
}

int component_expand(const struct component_round *round, const struct doc *d, struct doc **ret,
                     struct err *e)
{
	struct doc *copy = doc_new(round->arena, d->type, d);

	copy->quoted = d->quoted;
	copy->text = d->text;
	if (d->type == DOC_SCALAR) {
		int r = expand_text(round, d, &copy->text, e);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < d->n; i++) {
		struct doc *item;
		int r = component_expand(round, d->items[i], &item, e);

		if (r < 0)
			return r;
		if (d->type == DOC_MAP)
			doc_append(round->arena, copy, d->keys[i], item);
		else
			doc_push(round->arena, copy, item);
	}
	*ret = copy;
	return 0;
}
