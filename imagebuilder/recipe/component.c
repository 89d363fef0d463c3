/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe/component.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "data/yaml.h"
#include "recipe/component_own.h"
#include "recipe/include.h"

#define COMPONENTS_MAX 64

static const char *const phase_names[] = {"build", "validate", "test", NULL};
static const char *const failure_names[] = {"Abort", "Continue", "Ignore", NULL};

const char *component_phase_name(enum component_phase p)
{
	return phase_names[p];
}

/* ---- tables ---- */

struct top_spec {
	const char *name, *schema;
	const struct doc *constants, *parameters, *phases;
};
static const struct field top_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct top_spec, name), .min = 1, .max = 128},
        {"description", FIELD_ANY},
        {"schemaVersion", FIELD_STRING, FIELD_AT(struct top_spec, schema), .required = true},
        {"constants", FIELD_DOC, FIELD_AT(struct top_spec, constants)},
        {"parameters", FIELD_DOC, FIELD_AT(struct top_spec, parameters)},
        {"phases", FIELD_DOC, FIELD_AT(struct top_spec, phases), .required = true},
        {0},
};

static const char *const types[] = {"string", NULL};
struct name_spec {
	int type;
	const char *value, *preset;
};
static const struct field constant_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"value", FIELD_STRING, FIELD_AT(struct name_spec, value), .required = true},
        {0},
};
static const struct field parameter_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"default", FIELD_STRING, FIELD_AT(struct name_spec, preset)},
        {"description", FIELD_ANY},
        {0},
};

struct phase_spec {
	int name;
	const struct doc *steps;
};
static const struct field phase_fields[] = {
        {"name", FIELD_CHOICE, FIELD_AT(struct phase_spec, name), .required = true,
         .choices = phase_names},
        {"steps", FIELD_DOC, FIELD_AT(struct phase_spec, steps), .required = true},
        {0},
};

struct for_spec {
	int64_t start, end, by;
};
struct step_spec {
	const char *name;
	const struct doc *action, *inputs, *loop, *condition;
	int64_t attempts, timeout_s;
	int on_failure;
};
static const struct step_spec step_defaults = {.attempts = 1,
                                               .timeout_s = (int64_t)(COMPONENT_TIMEOUT_MS / 1000)};
static const struct field step_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct step_spec, name), .required = true, .min = 1,
         .max = 128},
        {"action", FIELD_DOC, FIELD_AT(struct step_spec, action), .required = true},
        {"inputs", FIELD_DOC, FIELD_AT(struct step_spec, inputs)},
        {"loop", FIELD_DOC, FIELD_AT(struct step_spec, loop)},
        {"if", FIELD_DOC, FIELD_AT(struct step_spec, condition)},
        {"maxAttempts", FIELD_INT, FIELD_AT(struct step_spec, attempts), .min = 1, .max = 20},
        {"timeoutSeconds", FIELD_INT, FIELD_AT(struct step_spec, timeout_s), .min = -1,
         .max = (int64_t)(COMPONENT_LONGEST_MS / 1000)},
        {"onFailure", FIELD_CHOICE, FIELD_AT(struct step_spec, on_failure),
         .choices = failure_names},
        {0},
};

struct loop_spec {
	const char *name;
	const struct doc *range, *list;
};
static const struct field loop_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct loop_spec, name), .min = 1, .max = 64},
        {"for", FIELD_DOC, FIELD_AT(struct loop_spec, range)},
        {"forEach", FIELD_DOC, FIELD_AT(struct loop_spec, list)},
        {0},
};
#define FOR_MAX 1000000000 /* so that no difference overflows */
static const struct field for_fields[] = {
        {"start", FIELD_INT, FIELD_AT(struct for_spec, start), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {"end", FIELD_INT, FIELD_AT(struct for_spec, end), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {"updateBy", FIELD_INT, FIELD_AT(struct for_spec, by), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {0},
};
struct split_spec {
	const char *list, *delimiter;
};
static const struct field split_fields[] = {
        {"list", FIELD_STRING, FIELD_AT(struct split_spec, list), .required = true},
        {"delimiter", FIELD_STRING, FIELD_AT(struct split_spec, delimiter), .min = 1, .max = 1},
        {0},
};

/* ---- constants and parameters ---- */

/* A list of maps with one name each: "- Name: {type: string, value: x}". */
static int each_name(const struct doc *list, const char *what, const struct field *fields,
                     const struct field_pairs *given, struct component *c, struct arena *a,
                     struct err *e)
{
	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE, "'%s': expected a list, found %s", what,
		               doc_type_name(list));
	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *entry = list->items[i];
		struct name_spec spec = {0};

		if (entry->type != DOC_MAP || entry->n != 1)
			return doc_err(entry, e, REASON_INPUT_TYPE,
			               "'%s': expected one name with its type and value", what);
		const char *name = entry->keys[0]->text;
		if (vars_get(&c->names, name))
			return doc_err(entry->keys[0], e, REASON_INPUT_DUPLICATE,
			               "'%s' is there already", name);
		int r = field_decode(entry->items[0], fields, NULL, a, &spec, e);
		if (r < 0)
			return r;
		const char *value = spec.value ? spec.value : spec.preset;
		for (size_t k = 0; given && k < given->n; k++)
			if (str_eq(given->items[k].name, name))
				value = given->items[k].value;
		if (!value)
			return doc_err(entry->keys[0], e, REASON_INPUT_REQUIRED,
			               "parameter '%s' has no default, and the recipe doesn't give "
			               "one",
			               name);
		vars_set(&c->names, name, value, what);
	}
	return 0;
}

static int check_given(const struct field_pairs *given, const struct doc *parameters, struct err *e)
{
	for (size_t i = 0; i < given->n; i++) {
		bool found = false;

		for (size_t k = 0; parameters && k < parameters->n; k++)
			found = found || doc_get(parameters->items[k], given->items[i].name);
		if (!found)
			return doc_err(given->items[i].at, e, REASON_INPUT_UNKNOWN_KEY,
			               "the component has no parameter '%s'", given->items[i].name);
	}
	return 0;
}

/* ---- loops ---- */

static int loop_for(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	struct for_spec f = {0};
	int r = field_decode(d, for_fields, NULL, a, &f, e);

	if (r < 0)
		return r;
	int64_t span = f.end - f.start;
	if (f.by == 0 || (span > 0) != (f.by > 0) || span / f.by >= COMPONENT_LOOP_MAX)
		if (span != 0 || f.by == 0)
			return doc_err(d, e, REASON_INPUT_RANGE,
			               "from %" PRId64 " to %" PRId64 " by %" PRId64
			               " is no loop of at most %d rounds",
			               f.start, f.end, f.by, COMPONENT_LOOP_MAX);
	for (int64_t v = f.start; f.by > 0 ? v <= f.end : v >= f.end; v += f.by) {
		s->loop_over.items = arena_grow(a, s->loop_over.items, &s->loop_over.n,
		                                sizeof *s->loop_over.items);
		s->loop_over.items[s->loop_over.n - 1] = arena_printf(a, "%" PRId64, v);
	}
	return 0;
}

static int loop_split(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	struct split_spec spec = {.delimiter = ","};
	int r = field_decode(d, split_fields, NULL, a, &spec, e);

	for (const char *p = spec.list; r == 0 && p;) {
		size_t len = strcspn(p, spec.delimiter);

		s->loop_over.items = arena_grow(a, s->loop_over.items, &s->loop_over.n,
		                                sizeof *s->loop_over.items);
		s->loop_over.items[s->loop_over.n - 1] = arena_memdup(a, p, len);
		p = p[len] ? p + len + 1 : NULL;
	}
	return r;
}

static int read_loop(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	static const struct field each = {"forEach", FIELD_STRINGS, 0, .min = 1,
	                                  .max = COMPONENT_LOOP_MAX};
	struct loop_spec loop = {.name = "loop"};
	int r = field_decode(d, loop_fields, NULL, a, &loop, e);

	if (r < 0)
		return r;
	if (!loop.range == !loop.list)
		return doc_err(d, e, REASON_INPUT_REQUIRED, "a loop has either 'for' or 'forEach'");
	s->loop_name = loop.name;
	if (loop.range)
		return loop_for(loop.range, s, a, e);
	if (loop.list->type == DOC_MAP)
		return loop_split(loop.list, s, a, e);
	return field_decode_value(loop.list, &each, NULL, a, &s->loop_over, e);
}

/* ---- steps ---- */

static int check_texts(const struct component *c, struct component_step *s, struct arena *a,
                       struct err *e)
{
	struct component_round round = {
	        .component = c,
	        .step = s,
	        .arena = a,
	        .loop_value = s->loop_over.n ? s->loop_over.items[0] : NULL,
	};
	struct doc *inputs = NULL, *condition;
	enum component_verdict verdict;
	int r = 0;

	if (s->inputs)
		r = component_expand(&round, s->inputs, &inputs, e);
	s->ran = inputs;
	if (r >= 0)
		r = component_action_each(&round, inputs, false, e);
	if (r >= 0 && s->condition)
		r = component_expand(&round, s->condition, &condition, e);
	if (r >= 0 && s->condition)
		r = component_if(&round, condition, &verdict, e);
	return r < 0 ? r : 0;
}

static int check_unique(const struct component *c, const struct component_step *s, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789_-";

	if (s->name[strspn(s->name, letters)])
		return doc_err(doc_get(s->at, "name"), e, REASON_INPUT_RANGE,
		               "'%s' is no name of a step: expected letters, digits, '_' and '-'",
		               s->name);
	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].phase == s->phase && str_eq(c->steps[i].name, s->name))
			return doc_err(doc_get(s->at, "name"), e, REASON_INPUT_DUPLICATE,
			               "there is a step '%s' in phase %s already (line %u)",
			               s->name, phase_names[s->phase], c->steps[i].at->line);
	if (c->n == COMPONENT_STEPS_MAX)
		return doc_err(s->at, e, REASON_INPUT_LIMIT, "more than %d steps",
		               COMPONENT_STEPS_MAX);
	return 0;
}

static int read_step(struct component *c, enum component_phase phase, const struct doc *d,
                     struct arena *a, struct err *e)
{
	struct step_spec spec = step_defaults;
	int r = field_decode(d, step_fields, NULL, a, &spec, e);

	if (r < 0)
		return r;
	struct component_step s = {
	        .name = spec.name,
	        .phase = phase,
	        .inputs = spec.inputs,
	        .on_failure = spec.on_failure,
	        .attempts = spec.attempts,
	        .timeout_ms =
	                spec.timeout_s > 0 ? (uint64_t)spec.timeout_s * 1000 : COMPONENT_LONGEST_MS,
	        .condition = spec.condition,
	        .at = d,
	};
	r = check_unique(c, &s, e);
	if (r == 0)
		r = component_action_find(spec.action, &s.action, e);
	if (r == 0 && spec.loop)
		r = read_loop(spec.loop, &s, a, e);
	if (r == 0)
		r = check_texts(c, &s, a, e);
	if (r < 0)
		return r;
	c->steps = arena_grow(a, c->steps, &c->n, sizeof *c->steps);
	c->steps[c->n - 1] = s;
	return 0;
}

static int read_phase(struct component *c, const struct doc *d, int *last, struct arena *a,
                      struct err *e)
{
	struct phase_spec spec = {0};
	int r = field_decode(d, phase_fields, NULL, a, &spec, e);

	if (r < 0)
		return r;
	if (spec.name <= *last)
		return doc_err(doc_get(d, "name"), e, REASON_INPUT_DUPLICATE,
		               "phase '%s' comes twice, or not in the order build, validate, test",
		               phase_names[spec.name]);
	*last = spec.name;
	if (spec.steps->type != DOC_LIST)
		return doc_err(spec.steps, e, REASON_INPUT_TYPE,
		               "'steps': expected a list, found %s", doc_type_name(spec.steps));
	for (size_t i = 0; i < spec.steps->n && r == 0; i++)
		r = read_step(c, (enum component_phase)spec.name, spec.steps->items[i], a, e);
	return r;
}

/* ---- documents ---- */

static int read_document(const struct doc *d, const struct field_pairs *given, struct component *c,
                         struct arena *a, struct err *e)
{
	struct top_spec top = {0};
	int last = -1, r = field_decode(d, top_fields, NULL, a, &top, e);

	if (r < 0)
		return r;
	if (!str_eq(top.schema, "1.0") && !str_eq(top.schema, "1"))
		return doc_err(doc_get(d, "schemaVersion"), e, REASON_INPUT_RANGE,
		               "schemaVersion '%s' is not known, expected 1.0", top.schema);
	c->name = top.name ? top.name : c->file;
	c->at = d;
	r = each_name(top.constants, "constants", constant_fields, NULL, c, a, e);
	if (r == 0)
		r = check_given(given, top.parameters, e);
	if (r == 0)
		r = each_name(top.parameters, "parameters", parameter_fields, given, c, a, e);
	if (r == 0 && top.phases->type != DOC_LIST)
		r = doc_err(top.phases, e, REASON_INPUT_TYPE, "'phases': expected a list, found %s",
		            doc_type_name(top.phases));
	for (size_t i = 0; r == 0 && i < top.phases->n; i++)
		r = read_phase(c, top.phases->items[i], &last, a, e);
	return r;
}

struct entry_spec {
	const char *file;
	struct field_pairs parameters;
};
const struct field component_entry_fields[] = {
        {"file", FIELD_STRING, FIELD_AT(struct entry_spec, file), .required = true, .min = 1},
        {"parameters", FIELD_PAIRS, FIELD_AT(struct entry_spec, parameters)},
        {0},
};

static int read_entry(const struct doc *at, struct arena *a, struct component *ret, struct err *e)
{
	static const struct field plain = {"components", FIELD_STRING, 0, .min = 1};
	struct entry_spec entry = {0};
	struct component c = {.names.arena = a};
	struct blob text;
	struct doc *d;
	int r = at->type == DOC_MAP ? field_decode(at, component_entry_fields, NULL, a, &entry, e)
	                            : field_decode_value(at, &plain, NULL, a, &entry.file, e);

	if (r < 0)
		return r;
	c.file = include_beside(at, entry.file, a);
	if (file_read(AT_FDCWD, c.file, INCLUDE_SIZE_MAX, a, &text, e) < 0)
		return doc_err(at, e, REASON_INPUT_RANGE, "%s", arena_strdup(a, e->text));
	r = yaml_parse(c.file, text, a, &d, e);
	if (r == 0)
		r = read_document(d, &entry.parameters, &c, a, e);
	if (r == 0)
		*ret = c;
	return r;
}

int component_read_text(const char *file, struct blob text, struct arena *a,
                        struct component_list *ret, struct err *e)
{
	static const struct field_pairs none;
	struct component *c = arena_alloc(a, sizeof *c);
	struct doc *d;
	int r = yaml_parse(file, text, a, &d, e);

	*c = (struct component){.file = file, .names = {.arena = a}};
	if (r == 0)
		r = read_document(d, &none, c, a, e);
	if (r == 0)
		*ret = (struct component_list){.n = 1, .items = c};
	return r;
}

int component_read(const struct doc *list, struct arena *a, struct component_list *ret,
                   struct err *e)
{
	struct component_list l = {0};

	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "'components': expected a list, found %s", doc_type_name(list));
	if (list && list->n > COMPONENTS_MAX)
		return doc_err(list, e, REASON_INPUT_LIMIT, "more than %d components",
		               COMPONENTS_MAX);
	for (size_t i = 0; list && i < list->n; i++) {
		l.items = arena_grow(a, l.items, &l.n, sizeof *l.items);
		int r = read_entry(list->items[i], a, &l.items[l.n - 1], e);
		if (r < 0)
			return r;
	}
	*ret = l;
	return 0;
}

int component_offline(const struct component_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->items[i].n; k++) {
			const struct component_step *s = &l->items[i].steps[k];

			if (s->action->running)
				return doc_err(doc_get(s->at, "action"), e,
				               REASON_INPUT_UNSUPPORTED,
				               "'%s' needs a running machine, and an image is "
				               "built without one; 'provision' can do it",
				               s->action->name);
		}
	return 0;
}
