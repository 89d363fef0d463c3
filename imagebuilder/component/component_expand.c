/* SPDX-License-Identifier: Apache-2.0 */
/* Expands `{{ }}` references in component documents. */
#include "component/component_own.h"

#define TEXT_MAX  (1024 * 1024)
#define INDEX_MAX 10000
#define PLAIN     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.[]"

/* The step of that phase and name, if it runs before this one. */
static const struct component_step *earlier_step(const struct component_round *round,
                                                 const char *phase, const char *name)
{
	const struct component *c = round->component;

	for (size_t i = 0; i < c->n && &c->steps[i] != round->step; i++)
		if (str_eq(component_phase_name(c->steps[i].phase), phase) &&
		    str_eq(c->steps[i].name, name))
			return &c->steps[i];
	return NULL;
}

/* Reads a number in brackets, if there is one; returns the rest, or NULL: it isn't a number. */
static const char *read_index(const struct component_round *round, const char *text, uint64_t *ret)
{
	*ret = 0;
	if (text[0] != '[')
		return text;
	size_t len = strspn(text + 1, "0123456789");

	if (text[len + 1] != ']' ||
	    str_u64(arena_memdup(round->arena, text + 1, len), 0, INDEX_MAX, ret) < 0)
		return NULL;
	return text + len + 2;
}

/* "[0].destination"; or ".path" if there is only one map. */
static const char *input_of(const struct component_round *round, const struct component_step *s,
                            const char *rest)
{
	const struct doc *d = s->ran;
	uint64_t i;
	const char *key = read_index(round, rest, &i);

	if (!key || key[0] != '.' || !d)
		return NULL;
	if (d->type == DOC_LIST && key != rest)
		d = i < d->n ? d->items[i] : NULL;
	else if (i > 0)
		return NULL;
	return doc_text(d, key + 1);
}

/* "[0].content"; ".stdout": all of them, one a line. */
static const char *output_of(const struct component_round *round, const struct component_step *s,
                             const char *rest)
{
	struct strbuf all = STRBUF(round->arena, TEXT_MAX);
	uint64_t i;
	const char *name = read_index(round, rest, &i);

	if (!name || name[0] != '.' || !str_eq(name + 1, s->action->output))
		return NULL;
	if (!round->env)
		return COMPONENT_UNKNOWN;
	if (name != rest)
		return i < s->outs.n ? s->outs.items[i] : NULL;
	strbuf_str(&all, "");
	for (size_t k = 0; k < s->outs.n; k++)
		strbuf_printf(&all, "%s%s", k ? "\n" : "", s->outs.items[k]);
	return all.data;
}

static void not_known(const struct component_round *round)
{
	if (!round->env && round->unknown)
		*round->unknown = true;
}

/* "build.Download.inputs[0].destination", cut at its dots. */
static const char *chained(const struct component_round *round, const char *name)
{
	char *phase = arena_strdup(round->arena, name), *step = strchr(phase, '.');
	char *what = step ? strchr(step + 1, '.') : NULL;

	if (!what)
		return NULL;
	*step++ = '\0';
	*what++ = '\0';
	const struct component_step *s = earlier_step(round, phase, step);
	if (!s)
		return NULL;
	if (str_starts(what, "outputs")) {
		not_known(round);
		return output_of(round, s, what + strlen("outputs"));
	}
	if (!str_starts(what, "inputs"))
		return NULL;
	const char *value = input_of(round, s, what + strlen("inputs"));
	/* For a loop these are the last round's, once it has run. */
	if (value && (s->loop_over.n > 1 || strstr(value, COMPONENT_UNKNOWN)))
		not_known(round);
	return value;
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

static int unknown(const struct doc *at, const char *name, const char *near, struct err *e)
{
	if (near)
		return doc_err(at, e, REASON_INPUT_FACT,
		               "unknown name '{{ %s }}', did you mean '{{ %s }}'?", name, near);
	return doc_err(at, e, REASON_INPUT_FACT,
	               "unknown name '{{ %s }}', expected a constant, a parameter, loop.index, "
	               "loop.value, or an input or output of a step before this one, as "
	               "build.STEP.outputs.stdout",
	               name);
}

/* Whether an unknown name was meant for us: it has the form of a reference to a step or a loop, or
 * resembles a known name. Others belong to other programs: templates of Go, Jinja and many more
 * look the same, the more so with what only names of steps may have. */
static bool is_ours(const struct component_round *round, const char *name, const char **ret_near)
{
	static const char *const first[] = {"build.", "validate.", "test.", "loop."};
	const struct vars *v = &round->component->names;
	const char **names = arena_array(round->arena, v->n, sizeof *names);
	bool chain = strstr(name, ".outputs") || strstr(name, ".inputs");
	bool plain = !name[strspn(name, PLAIN)], phase = false;

	for (size_t i = 0; i < v->n; i++)
		names[i] = v->items[i].name;
	*ret_near = plain ? str_nearest(name, names, v->n) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		phase = phase || str_starts(name, first[i]);
	return plain ? chain || phase || *ret_near : chain && phase;
}

/* The name between the braces at `open`, and the length of the whole; 0: it can't
 * be a reference. */
static size_t read_name(const struct component_round *round, const char *open, const char **ret)
{
	const char *from = open + 2 + strspn(open + 2, " \t");
	size_t len = strspn(from, COMPONENT_NAME_LETTERS "[]");
	const char *close = from + len + strspn(from + len, " \t");

	while (len && from[len - 1] == ' ')
		len--;
	if (!len || *from == '.' || !str_starts(close, "}}"))
		return 0;
	*ret = arena_memdup(round->arena, from, len);
	return (size_t)(close + 2 - open);
}

static int expand_text(const struct component_round *round, const struct doc *at, const char **ret,
                       struct err *e)
{
	struct strbuf out = STRBUF(round->arena, TEXT_MAX);
	const char *p = at->text, *open, *name, *near;

	while ((open = strstr(p, "{{"))) {
		size_t len = read_name(round, open, &name);
		const char *value = len ? meaning(round, name) : NULL;

		strbuf_add(&out, p, (size_t)(open - p));
		if (len && !value && is_ours(round, name, &near))
			return unknown(at, name, near, e);
		/* Nested braces: the inner ones may be a reference. */
		p = open + (value ? len : 1);
		strbuf_str(&out, value ? value : "{");
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
