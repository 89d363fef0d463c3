/* SPDX-License-Identifier: Apache-2.0 */
/* References and conditions of component documents. */
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>

#include "recipe/component_own.h"

#define TEXT_MAX    (1024 * 1024)
#define DEPTH_MAX   16
#define PATTERN_MAX 256

/* ---- references ---- */

static const struct component_step *earlier_step(const struct component_round *r, const char *name,
                                                 size_t len)
{
	const struct component *c = r->component;

	for (size_t i = 0; i < c->n && &c->steps[i] != r->step; i++) {
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
static const char *input_of(const struct component_round *r, const struct component_step *s,
                            const char *rest)
{
	const struct doc *d = s->ran;
	uint64_t i = 0;

	if (rest[0] == '[') {
		size_t len = strspn(rest + 1, "0123456789");

		if (rest[len + 1] != ']' ||
		    str_u64(arena_memdup(r->arena, rest + 1, len), 0, 10000, &i) < 0)
			return NULL;
		rest += len + 2;
		if (!d || d->type != DOC_LIST || i >= d->n)
			return NULL;
		d = d->items[i];
	}
	return rest[0] == '.' ? doc_text(d, rest + 1) : NULL;
}

static void not_known(const struct component_round *r)
{
	if (!r->env && r->unknown)
		*r->unknown = true;
}

static const char *chained(const struct component_round *r, const char *name)
{
	const char *outputs = strstr(name, ".outputs."), *inputs = strstr(name, ".inputs");
	const char *end = outputs ? outputs : inputs;
	const struct component_step *s = end ? earlier_step(r, name, (size_t)(end - name)) : NULL;

	if (!s)
		return NULL;
	if (inputs) {
		const char *value = input_of(r, s, inputs + strlen(".inputs"));

		/* Of a loop these are the last round's, once it has run. */
		if (value && (s->loop_over.n > 1 || strstr(value, COMPONENT_UNKNOWN)))
			not_known(r);
		return value;
	}
	if (!str_eq(outputs, ".outputs.stdout"))
		return NULL;
	not_known(r);
	if (!r->env)
		return COMPONENT_UNKNOWN;
	return s->out ? s->out : "";
}

static const char *meaning(const struct component_round *r, const char *name)
{
	const char *value = vars_get(&r->component->names, name);
	const char *dot = strrchr(name, '.');

	if (value)
		return value;
	if (r->loop_value && dot) {
		size_t len = (size_t)(dot - name);
		bool mine = (len == 4 && strncmp(name, "loop", len) == 0) ||
		            (strlen(r->step->loop_name) == len &&
		             strncmp(name, r->step->loop_name, len) == 0);

		if (mine && str_eq(dot, ".value"))
			return r->loop_value;
		if (mine && str_eq(dot, ".index"))
			return arena_printf(r->arena, "%zu", r->loop_index);
	}
	return chained(r, name);
}

static int unknown(const struct component_round *r, const struct doc *at, const char *name,
                   struct err *e)
{
	const struct vars *v = &r->component->names;
	const char **names = arena_array(r->arena, v->n, sizeof *names);

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

static int expand_text(const struct component_round *r, const struct doc *at, const char **ret,
                       struct err *e)
{
	struct strbuf out = STRBUF(r->arena, TEXT_MAX);
	const char *p = at->text, *open;

	for (; (open = strstr(p, "{{")); p = strstr(open, "}}") + 2) {
		const char *close = strstr(open, "}}"), *from = open + 2;

		if (!close)
			return doc_err(at, e, REASON_INPUT_SYNTAX, "'{{' without '}}'");
		from += strspn(from, " \t");
		size_t len = (size_t)(close - from);
		while (len && strchr(" \t", from[len - 1]))
			len--;
		const char *name = arena_memdup(r->arena, from, len);
		const char *value = meaning(r, name);
		if (!value)
			return unknown(r, at, name, e);
		strbuf_add(&out, p, (size_t)(open - p));
		strbuf_str(&out, value);
	}
	strbuf_str(&out, p);
	if (out.overflow)
		return doc_err(at, e, REASON_INPUT_LIMIT, "the text is too long with all put in");
	*ret = out.data ? out.data : "";
	return 0;
}

int component_expand(const struct component_round *r, const struct doc *d, struct doc **ret,
                     struct err *e)
{
	struct doc *copy = doc_new(r->arena, d->type, d);
	int err = 0;

	copy->quoted = d->quoted;
	copy->text = d->text;
	if (d->type == DOC_SCALAR)
		err = expand_text(r, d, &copy->text, e);
	for (size_t i = 0; i < d->n && err == 0; i++) {
		struct doc *item;

		err = component_expand(r, d->items[i], &item, e);
		if (err == 0 && d->type == DOC_MAP)
			doc_append(r->arena, copy, d->keys[i], item);
		else if (err == 0)
			doc_push(r->arena, copy, item);
	}
	if (err == 0)
		*ret = copy;
	return err;
}

/* ---- conditions ---- */

enum compare { LESS = 1, EQUAL = 2, GREATER = 4 };
enum operand { OF_STRING, OF_NUMBER, OF_NOTHING, OF_SPACE, OF_PATTERN, OF_FILE, OF_FOLDER };

static const struct comparison {
	const char *name;
	enum operand of;
	int holds; /* enum compare of value to the operator's own text */
} comparisons[] = {
        {"stringIsEmpty", OF_NOTHING, 0},
        {"stringIsWhitespace", OF_SPACE, 0},
        {"stringEquals", OF_STRING, EQUAL},
        {"stringLessThan", OF_STRING, LESS},
        {"stringLessThanEquals", OF_STRING, LESS | EQUAL},
        {"stringGreaterThan", OF_STRING, GREATER},
        {"stringGreaterThanEquals", OF_STRING, GREATER | EQUAL},
        {"patternMatches", OF_PATTERN, 0},
        {"numberEquals", OF_NUMBER, EQUAL},
        {"numberLessThan", OF_NUMBER, LESS},
        {"numberLessThanEquals", OF_NUMBER, LESS | EQUAL},
        {"numberGreaterThan", OF_NUMBER, GREATER},
        {"numberGreaterThanEquals", OF_NUMBER, GREATER | EQUAL},
        {"fileExists", OF_FILE, 0},
        {"folderExists", OF_FOLDER, 0},
};

static int compared(double a, double b)
{
	return a < b ? LESS : a > b ? GREATER : EQUAL;
}

/* A comparison of what isn't a number doesn't hold. */
static bool numbers(const char *value, const char *own, int holds)
{
	char *end_a, *end_b;
	double a = strtod(value, &end_a), b = strtod(own, &end_b);

	return *value && *own && !*end_a && !*end_b && (compared(a, b) & holds);
}

static int pattern(const struct doc *own, const char *value, struct err *e)
{
	regex_t re;
	char why[128];

	/* regcomp(3) writes counted parts out: counts of counts would fill the memory. */
	if (strlen(own->text) > PATTERN_MAX || strstr(own->text, "){") || strstr(own->text, "}{") ||
	    strstr(own->text, "}+") || strstr(own->text, "}*"))
		return doc_err(own, e, REASON_INPUT_LIMIT,
		               "'%s' is too much of a pattern: expected at most %d bytes, and "
		               "counts of single characters only",
		               own->text, PATTERN_MAX);
	int r = regcomp(&re, own->text, REG_EXTENDED | REG_NOSUB);
	if (r) {
		regerror(r, &re, why, sizeof why);
		return doc_err(own, e, REASON_INPUT_RANGE, "'%s' is no regular expression: %s",
		               own->text, why);
	}
	r = regexec(&re, value, 0, NULL, 0) == 0;
	regfree(&re);
	return r;
}

static bool is_there(const struct component_round *r, const char *path, bool folder)
{
	struct stat st;
	struct err none;

	return r->env && host_stat(r->env->host, path, &st, &none) == 0 &&
	       S_ISDIR(st.st_mode) == folder;
}

static int compare_by(const struct component_round *r, const struct comparison *o,
                      const struct doc *own, const char *value, struct err *e)
{
	switch (o->of) {
	case OF_NOTHING:
		return !*own->text;
	case OF_SPACE:
		return *own->text && !own->text[strspn(own->text, " \t\r\n")];
	case OF_STRING:
		return (compared(strcmp(value, own->text), 0) & o->holds) != 0;
	case OF_NUMBER:
		return numbers(value, own->text, o->holds);
	case OF_PATTERN:
		return pattern(own, value, e);
	case OF_FILE:
	case OF_FOLDER:
		return is_there(r, own->text, o->of == OF_FOLDER);
	}
	return 0;
}

static const struct comparison *comparison_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		if (str_eq(comparisons[i].name, name))
			return &comparisons[i];
	return NULL;
}

static int no_operator(const struct doc *key, struct err *e)
{
	const char *names[ARRAY_LEN(comparisons) + 3] = {"and", "or", "not"};

	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		names[i + 3] = comparisons[i].name;
	const char *near = str_nearest(key->text, names, ARRAY_LEN(names));
	return doc_err(key, e, REASON_INPUT_UNKNOWN_KEY,
	               near ? "unknown operator '%s', did you mean '%s'?"
	                    : "unknown operator '%s', expected and, or, not, or a comparison%s",
	               key->text, near ? near : "");
}

static int holds(const struct component_round *r, const struct doc *d, unsigned depth,
                 struct err *e);

/* `any`: one of them is enough. */
static int holds_list(const struct component_round *r, const struct doc *list, bool any,
                      unsigned depth, struct err *e)
{
	bool all = true, one = false;

	if (list->type != DOC_LIST)
		return holds(r, list, depth + 1, e);
	for (size_t i = 0; i < list->n; i++) {
		int v = holds(r, list->items[i], depth + 1, e);

		if (v < 0)
			return v;
		all = all && v;
		one = one || v;
	}
	return any ? one : all;
}

static int holds_one(const struct component_round *r, const struct doc *map, size_t i,
                     unsigned depth, struct err *e)
{
	const struct doc *key = map->keys[i], *own = map->items[i];
	const char *value = doc_text(map, "value");

	if (str_eq(key->text, "and") || str_eq(key->text, "or"))
		return holds_list(r, own, str_eq(key->text, "or"), depth, e);
	if (str_eq(key->text, "not")) {
		int v = holds_list(r, own, false, depth, e);

		return v < 0 ? v : !v;
	}
	const struct comparison *o = comparison_of(key->text);
	if (!o)
		return no_operator(key, e);
	if (own->type != DOC_SCALAR)
		return doc_err(own, e, REASON_INPUT_TYPE, "'%s': expected a string, found %s",
		               o->name, doc_type_name(own));
	bool needs = o->of == OF_STRING || o->of == OF_NUMBER || o->of == OF_PATTERN;
	if (needs && !value)
		return doc_err(map, e, REASON_INPUT_REQUIRED,
		               "'value' is missing: what '%s' is compared with", o->name);
	return compare_by(r, o, own, value, e);
}

static int holds(const struct component_round *r, const struct doc *d, unsigned depth,
                 struct err *e)
{
	const struct doc *seen = NULL;
	int v = 0;

	if (depth > DEPTH_MAX)
		return doc_err(d, e, REASON_INPUT_LIMIT, "conditions are nested too deep");
	if (d->type != DOC_MAP)
		return doc_err(d, e, REASON_INPUT_TYPE, "a condition is a map, found %s",
		               doc_type_name(d));
	for (size_t i = 0; i < d->n; i++) {
		const char *key = d->keys[i]->text;

		if (str_eq(key, "value"))
			continue;
		if (seen)
			return doc_err(d->keys[i], e, REASON_INPUT_RANGE,
			               "a condition has one operator, and here is '%s' already",
			               seen->text);
		seen = d->keys[i];
		v = holds_one(r, d, i, depth, e);
		if (v < 0)
			return v;
	}
	if (!seen)
		return doc_err(d, e, REASON_INPUT_REQUIRED, "a condition without an operator");
	return v;
}

int component_holds(const struct component_round *r, const struct doc *d, struct err *e)
{
	return d->type == DOC_LIST ? holds_list(r, d, false, 0, e) : holds(r, d, 0, e);
}

/* ---- if ---- */

static const char *const verdicts[] = {"Execute", "Skip", "Abort", NULL};
struct then_spec {
	int then, otherwise;
};
static const struct field then_fields[] = {
        {"then", FIELD_CHOICE, FIELD_AT(struct then_spec, then), .choices = verdicts},
        {"else", FIELD_CHOICE, FIELD_AT(struct then_spec, otherwise), .choices = verdicts},
        {0},
};

int component_if(const struct component_round *r, const struct doc *d, enum component_verdict *ret,
                 struct err *e)
{
	struct then_spec spec = {.then = VERDICT_EXECUTE, .otherwise = VERDICT_SKIP};
	struct doc *then = doc_new_map(r->arena, d), *condition = doc_new_map(r->arena, d);

	if (d->type != DOC_MAP)
		return doc_err(d, e, REASON_INPUT_TYPE, "'if': expected a map, found %s",
		               doc_type_name(d));
	for (size_t i = 0; i < d->n; i++) {
		bool branch = str_eq(d->keys[i]->text, "then") || str_eq(d->keys[i]->text, "else");

		doc_append(r->arena, branch ? then : condition, d->keys[i], d->items[i]);
	}
	int v = field_decode(then, then_fields, NULL, r->arena, &spec, e);
	if (v >= 0)
		v = holds(r, condition, 0, e);
	if (v >= 0)
		*ret = (enum component_verdict)(v ? spec.then : spec.otherwise);
	return v < 0 ? v : 0;
}
