/* SPDX-License-Identifier: Apache-2.0 */
/* A kind's front for tests: things that provide and need what the spec tells them. */
#pragma once
#include "unit.h"

#include "data/yaml.h"
#include "plan/plan.h"

struct thing {
	const char *name;
	struct field_strings provides, needs;
	const char *act; /* what the step does: test_run.c */
	int64_t times;
};

static const struct field thing_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct thing, name), .required = true},
        {"provides", FIELD_STRINGS, FIELD_AT(struct thing, provides)},
        {"needs", FIELD_STRINGS, FIELD_AT(struct thing, needs)},
        {"act", FIELD_STRING, FIELD_AT(struct thing, act)},
        {"times", FIELD_INT, FIELD_AT(struct thing, times)},
        {0},
};

static inline int thing_claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
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

static inline struct doc *spec_of(struct arena *a, const char *yaml)
{
	struct err e = {0};
	struct doc *d = NULL;

	assert_ok(yaml_parse("spec", (struct blob){yaml, strlen(yaml)}, a, &d, &e));
	return d;
}
