/* SPDX-License-Identifier: Apache-2.0 */
/* Reads component documents, and checks everything that can be checked before they run. */
#include "component/component.h"

#include <errno.h>
#include <fcntl.h>

#include "component/component_own.h"
#include "data/yaml.h"

#define COMPONENTS_MAX 64
#define ATTEMPTS_MAX   10000

static const char *const failure_names[] = {"Abort", "Continue", "Ignore", NULL};

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

struct phase_spec {
	const char *name;
	const struct doc *steps;
};
static const struct field phase_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct phase_spec, name), .required = true, .min = 1,
         .max = 128},
        {"steps", FIELD_DOC, FIELD_AT(struct phase_spec, steps), .required = true},
        {0},
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
        {"maxAttempts", FIELD_INT, FIELD_AT(struct step_spec, attempts), .min = 1,
         .max = ATTEMPTS_MAX},
        {"timeoutSeconds", FIELD_INT, FIELD_AT(struct step_spec, timeout_s), .min = -1,
         .max = INT32_MAX},
        {"onFailure", FIELD_CHOICE, FIELD_AT(struct step_spec, on_failure),
         .choices = failure_names},
        {0},
};

/* ---- steps ---- */

/* A component as it is read; all its faults, and not those that only follow from others. */
struct reading {
	struct component *c;
	struct arena *a;
	struct faults *faults; /* NULL: the first fault ends it */
	int failed;            /* the result of the last fault, or 0 */
};

/* Whether to go on after the fault in *e, whose result is `r`. */
static bool goes_on(struct reading *x, int r, const struct err *e)
{
	x->failed = r;
	return faults_add(x->faults, e);
}

static int check_texts(const struct component *c, struct component_step *s, struct arena *a,
                       struct err *e)
{
	const struct component_round round = component_round(c, s, 0, NULL, a);
	enum component_verdict verdict;
	struct doc *inputs = NULL;
	int r;

	if (s->inputs) {
		r = component_expand(&round, s->inputs, &inputs, e);
		if (r < 0)
			return r;
	}
	s->ran = inputs;
	r = component_action_each(&round, inputs, false, e);
	if (r < 0)
		return r;
	return component_verdict(&round, &verdict, e);
}

static int check_unique(const struct component *c, const struct component_step *s, struct err *e)
{
	if (s->name[strspn(s->name, COMPONENT_NAME_LETTERS)])
		return doc_err(doc_get(s->at, "name"), e, REASON_INPUT_RANGE,
		               "'%s' is no name of a step: expected letters, digits, blanks and "
		               "any of " COMPONENT_NAME_OTHERS,
		               s->name);
	for (size_t i = 0; i < c->n; i++)
		if (c->steps[i].phase == s->phase && str_eq(c->steps[i].name, s->name))
			return doc_err(doc_get(s->at, "name"), e, REASON_INPUT_DUPLICATE,
			               "there is a step '%s' in phase %s already (line %u)",
			               s->name, component_phases[s->phase], c->steps[i].at->line);
	if (c->n == COMPONENT_STEPS_MAX)
		return doc_err(s->at, e, REASON_INPUT_LIMIT, "more than %d steps",
		               COMPONENT_STEPS_MAX);
	return 0;
}

/* -1 and what is longer than we wait are the longest time. */
static uint64_t timeout_of(int64_t seconds)
{
	return seconds > 0 && seconds < (int64_t)(COMPONENT_LONGEST_MS / 1000)
	               ? (uint64_t)seconds * 1000
	               : COMPONENT_LONGEST_MS;
}

static int read_step(struct reading *x, enum component_phase phase, const struct doc *d,
                     struct err *e)
{
	struct step_spec spec = step_defaults;
	struct component *c = x->c;
	struct arena *a = x->a;
	int r = field_decode(d, step_fields, NULL, a, &spec, e);

	if (r < 0)
		return r;
	struct component_step s = {
	        .name = spec.name,
	        .phase = phase,
	        .inputs = spec.inputs,
	        .on_failure = spec.on_failure,
	        .attempts = spec.attempts,
	        .timeout_ms = timeout_of(spec.timeout_s),
	        .condition = spec.condition,
	        .at = d,
	};
	r = check_unique(c, &s, e);
	if (r < 0)
		return r;
	r = component_action_find(spec.action, &s.action, e);
	if (r < 0)
		return r;
	if (spec.loop) {
		r = component_loop(c, spec.loop, &s, a, e);
		if (r < 0)
			return r;
	}
	/* It may refer to a step that was wrong and isn't there. */
	r = x->failed ? 0 : check_texts(c, &s, a, e);
	if (r < 0)
		return r;
	c->steps = arena_grow(a, c->steps, &c->n, sizeof *c->steps);
	c->steps[c->n - 1] = s;
	return 0;
}

static int read_steps(struct reading *x, enum component_phase phase, const struct doc *steps,
                      struct err *e)
{
	if (steps->type != DOC_LIST)
		return doc_err(steps, e, REASON_INPUT_TYPE, "'steps': expected a list, found %s",
		               doc_type_name(steps));
	for (size_t i = 0; i < steps->n; i++) {
		int r = read_step(x, phase, steps->items[i], e);

		if (r < 0 && !goes_on(x, r, e))
			return r;
	}
	return x->failed;
}

/* Image Builder's executor takes phases of any name, and Image Builder runs three of them. */
static int other_phase(struct component *c, const struct doc *at, const char *name, struct arena *a,
                       struct err *e)
{
	const char *near = str_nearest(name, component_phases, PHASE_COUNT);

	if (near)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "phase '%s' is run by nobody, did you mean '%s'?", name, near);
	c->notes.items = arena_grow(a, c->notes.items, &c->notes.n, sizeof *c->notes.items);
	c->notes.items[c->notes.n - 1] = arena_printf(
	        a, "%s:%u:%u: phase '%s' is left out: build, validate and test are run", at->file,
	        at->line, at->col, name);
	return 0;
}

static int check_phase(const struct doc *list, size_t i, const char *name, struct err *e)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(doc_text(list->items[k], "name"), name))
			return doc_err(doc_get(list->items[i], "name"), e, REASON_INPUT_DUPLICATE,
			               "phase '%s' comes twice", name);
	return 0;
}

/* The i-th phase; its number, or PHASE_COUNT if nobody runs it. */
static int find_phase(struct reading *x, const struct doc *list, size_t i,
                      const struct doc *steps[PHASE_COUNT], unsigned *ret, struct err *e)
{
	struct phase_spec spec = {0};
	unsigned p = 0;
	int r = field_decode(list->items[i], phase_fields, NULL, x->a, &spec, e);

	if (r < 0)
		return r;
	r = check_phase(list, i, spec.name, e);
	if (r < 0)
		return r;
	while (p < PHASE_COUNT && !str_eq(component_phases[p], spec.name))
		p++;
	*ret = p;
	if (p == PHASE_COUNT)
		return other_phase(x->c, doc_get(list->items[i], "name"), spec.name, x->a, e);
	steps[p] = spec.steps;
	return 0;
}

static int find_phases(struct reading *x, const struct doc *list,
                       const struct doc *steps[PHASE_COUNT], struct err *e)
{
	bool any = list->n == 0;

	for (size_t i = 0; i < list->n; i++) {
		unsigned p = 0;
		int r = find_phase(x, list, i, steps, &p, e);

		if (r < 0 && !goes_on(x, r, e))
			return r;
		any = any || r < 0 || p < PHASE_COUNT;
	}
	return any ? x->failed
	           : doc_err(list, e, REASON_INPUT_UNSUPPORTED,
	                     "no phase that is run: expected one of build, validate and test");
}

/* In the order they run, not in which they are written: references go to earlier steps. */
static int read_phases(struct reading *x, const struct doc *list, struct err *e)
{
	const struct doc *steps[PHASE_COUNT] = {0};

	if (list->type != DOC_LIST)
		return doc_err(list, e, REASON_INPUT_TYPE, "'phases': expected a list, found %s",
		               doc_type_name(list));
	int r = find_phases(x, list, steps, e);
	if (r < 0 && !goes_on(x, r, e))
		return r;
	for (unsigned p = 0; p < PHASE_COUNT; p++) {
		r = steps[p] ? read_steps(x, (enum component_phase)p, steps[p], e) : 0;

		if (r < 0 && !goes_on(x, r, e))
			return r;
	}
	return x->failed;
}

/* ---- documents ---- */

static int read_document(struct reading *x, const struct doc *d, const struct field_pairs *given,
                         struct err *e)
{
	struct component *c = x->c;
	struct top_spec top = {0};
	int r = field_decode(d, top_fields, NULL, x->a, &top, e);

	if (r < 0)
		return r;
	if (!str_eq(top.schema, "1.0") && !str_eq(top.schema, "1"))
		return doc_err(doc_get(d, "schemaVersion"), e, REASON_INPUT_RANGE,
		               "schemaVersion '%s' is not known, expected 1.0", top.schema);
	c->name = top.name ? top.name : c->file;
	c->at = d;
	r = component_names(top.constants, top.parameters, given, c, x->a, e);
	if (r < 0 && !goes_on(x, r, e))
		return r;
	return read_phases(x, top.phases, e);
}

static int read_all(const char *file, const struct doc *d, const struct field_pairs *given,
                    struct faults *faults, struct arena *a, struct component *ret, struct err *e)
{
	struct component c = {.file = file, .given = *given, .names = {.arena = a}};
	struct reading x = {.c = &c, .a = a, .faults = faults};
	int r = read_document(&x, d, given, e);

	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

int component_read_document(const char *file, const struct doc *d, const struct field_pairs *given,
                            struct arena *a, struct component *ret, struct err *e)
{
	return read_all(file, d, given, NULL, a, ret, e);
}

struct entry_spec {
	const char *file;
	struct field_pairs parameters;
};
struct parameter_spec {
	struct doc *name, *value;
};
const struct field component_entry_fields[] = {
        {"file", FIELD_STRING, FIELD_AT(struct entry_spec, file), .required = true, .min = 1},
        {"parameters", FIELD_PAIRS, FIELD_AT(struct entry_spec, parameters)},
        {0},
};

/* Converts "[{name: Version, value: ["4.1"]}]", the form in which Image Builder's recipes give
 * parameters, to the map that ours use. */
static int pairs_of_list(const struct doc *list, struct arena *a, struct doc **ret, struct err *e)
{
	static const struct field fields[] = {
	        {"name", FIELD_DOC, FIELD_AT(struct parameter_spec, name), .required = true},
	        {"value", FIELD_DOC, FIELD_AT(struct parameter_spec, value), .required = true},
	        {0},
	};
	struct doc *map = doc_new_map(a, list);

	for (size_t i = 0; i < list->n; i++) {
		struct parameter_spec spec;
		int r = field_decode(list->items[i], fields, NULL, a, &spec, e);

		if (r < 0)
			return r;
		if (spec.value->type == DOC_LIST && spec.value->n == 1)
			spec.value = spec.value->items[0];
		if (spec.name->type != DOC_SCALAR || spec.value->type != DOC_SCALAR)
			return doc_err(list->items[i], e, REASON_INPUT_TYPE,
			               "a parameter has one name and one value");
		if (doc_get(map, spec.name->text))
			return doc_err(spec.name, e, REASON_INPUT_DUPLICATE,
			               "parameter '%s' is given twice", spec.name->text);
		doc_append(a, map, spec.name, spec.value);
	}
	*ret = map;
	return 0;
}

static int decode_entry(const struct doc *at, struct arena *a, struct entry_spec *ret,
                        struct err *e)
{
	static const struct field plain = {"components", FIELD_STRING, 0, .min = 1};
	struct doc *list = doc_get(at, "parameters"), *map = NULL, *entry;

	if (at->type != DOC_MAP)
		return field_decode_value(at, &plain, NULL, a, &ret->file, e);
	if (!list || list->type != DOC_LIST)
		return field_decode(at, component_entry_fields, NULL, a, ret, e);
	int r = pairs_of_list(list, a, &map, e);
	if (r < 0)
		return r;
	entry = doc_new_map(a, at);
	for (size_t i = 0; i < at->n; i++)
		doc_append(a, entry, at->keys[i], at->items[i] == list ? map : at->items[i]);
	return field_decode(entry, component_entry_fields, NULL, a, ret, e);
}

static int read_entry(const struct doc *at, struct faults *faults, struct arena *a,
                      struct component *ret, struct err *e)
{
	struct entry_spec entry = {0};
	struct blob text;
	struct doc *d;
	int r = decode_entry(at, a, &entry, e);

	if (r < 0)
		return r;
	const char *file = doc_beside(at, entry.file, a);
	if (file_read(AT_FDCWD, file, COMPONENT_SIZE_MAX, a, &text, e) < 0)
		return doc_err(at, e, REASON_INPUT_RANGE, "%s", arena_strdup(a, e->text));
	r = yaml_parse_foreign(file, text, a, &d, e);
	if (r < 0)
		return r;
	return read_all(file, d, &entry.parameters, faults, a, ret, e);
}

int component_read_text(const char *file, struct blob text, struct arena *a,
                        struct component_list *ret, struct err *e)
{
	static const struct field_pairs none;
	struct component *c = arena_alloc(a, sizeof *c);
	struct doc *d;
	int r = yaml_parse_foreign(file, text, a, &d, e);

	if (r < 0)
		return r;
	r = component_read_document(file, d, &none, a, c, e);
	if (r < 0)
		return r;
	*ret = (struct component_list){.n = 1, .items = c};
	return 0;
}

int component_read(const struct doc *list, struct faults *faults, struct arena *a,
                   struct component_list *ret, struct err *e)
{
	struct component_list l = {0};
	int failed = 0;

	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "'components': expected a list, found %s", doc_type_name(list));
	if (list && list->n > COMPONENTS_MAX)
		return doc_err(list, e, REASON_INPUT_LIMIT, "more than %d components",
		               COMPONENTS_MAX);
	for (size_t i = 0; list && i < list->n; i++) {
		l.items = arena_grow(a, l.items, &l.n, sizeof *l.items);
		int r = read_entry(list->items[i], faults, a, &l.items[l.n - 1], e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	if (failed < 0)
		return failed;
	*ret = l;
	return 0;
}

int component_offline(const struct component_list *l, struct err *e)
{
	for (struct component_walk w = {0}; component_next(l, PHASES_ALL, &w);)
		if (w.step->action->offline)
			return doc_err(doc_get(w.step->at, "action"), e, REASON_INPUT_UNSUPPORTED,
			               "'%s' can't be done in a build: %s; 'provision' can do it",
			               w.step->action->name, w.step->action->offline);
	return 0;
}
