/* SPDX-License-Identifier: Apache-2.0 */
/* A kind for tests of the engine: its steps do what their document says. */
#include "thing.h"

const struct field thing_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct thing, name), .required = true},
        {"provides", FIELD_STRINGS, FIELD_AT(struct thing, provides)},
        {"needs", FIELD_STRINGS, FIELD_AT(struct thing, needs)},
        {"act", FIELD_STRING, FIELD_AT(struct thing, act)},
        {"times", FIELD_INT, FIELD_AT(struct thing, times)},
        {0},
};

static const struct thing defaults = {.act = "default"};

const struct kind things = {
        .section = "things",
        .shape = KIND_LIST,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .defaults = &defaults,
        .claim = thing_claim,
};
const struct kind others = {
        .section = "others",
        .shape = KIND_LIST,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .claim = thing_claim,
};
const struct kind slurm = {
        .section = "slurm",
        .shape = KIND_MAP,
        .fields = thing_fields,
        .size = sizeof(struct thing),
        .claim = thing_claim,
};
const struct kind *const thing_kinds[] = {&things, &others, &slurm, NULL};
const char *const planned_ignore[] = {"version", "roles", NULL};

int thing_claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	const struct thing *t = fields;

	(void)facts;
	if (str_eq(t->name, "refused"))
		return doc_err(s->at, e, REASON_INPUT_RANGE, "refused by claim");
	step_name(s, "%s", t->name);
	for (size_t i = 0; i < t->provides.n; i++)
		step_provides(s, "%s", t->provides.items[i]);
	for (size_t i = 0; i < t->needs.n; i++)
		step_needs(s, "%s", t->needs.items[i]);
	return 0;
}

struct doc *spec_of(struct arena *a, const char *yaml)
{
	struct err e = {0};
	struct doc *d = NULL;

	assert_ok(yaml_parse("spec", (struct blob){yaml, strlen(yaml)}, a, &d, &e));
	return d;
}

int planned_setup(void **state)
{
	struct planned *f = test_calloc(1, sizeof *f);

	f->a = arena_new();
	*state = f;
	return 0;
}

int planned_teardown(void **state)
{
	struct planned *f = *state;

	arena_close(f->a);
	test_free(f);
	return 0;
}

int planned_build(struct planned *f, const struct kind *const *kinds, const char *yaml,
                  struct err *e)
{
	int r = plan_build(spec_of(f->a, yaml), kinds, planned_ignore, NULL, NULL, f->a, &f->p, e);

	for (size_t i = 0; r == 0 && i < f->p.n; i++)
		for (size_t k = 0; k < f->p.edges[i].n; k++)
			assert_true(f->p.edges[i].items[k].before < i);
	return r;
}

void planned_order(struct planned *f, const struct kind *const *kinds, const char *yaml,
                   const char *want)
{
	struct strbuf b = STRBUF(f->a, 4096);
	struct err e = {0};

	assert_ok(planned_build(f, kinds, yaml, &e));
	for (size_t i = 0; i < f->p.n; i++)
		strbuf_printf(&b, "%s%s", i ? " " : "", f->p.steps[i]->id);
	assert_string_equal(b.data ? b.data : "", want);
}
