/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds for tests whose steps provide and need what the spec tells them, and plans made of them. */
#pragma once
#include "unit.h"

#include "data/yaml.h"
#include "plan/plan.h"

struct thing {
	const char *name; /* "refused": claim refuses it */
	struct field_strings provides, needs;
	const char *act; /* what the step does: act.c */
	int64_t times;
};

extern const struct field thing_fields[];
extern const struct kind things, others, slurm; /* lists; slurm a map */
extern const struct kind *const thing_kinds[];

int thing_claim(struct step *s, void *fields, const struct vars *facts, struct err *e);
struct doc *spec_of(struct arena *a, const char *yaml);

struct planned {
	struct arena *a;
	struct plan p;
};
extern const char *const planned_ignore[]; /* sections "version" and "roles" */

int planned_setup(void **state);
int planned_teardown(void **state);
/* Also checks what holds of every plan: each edge points back. */
int planned_build(struct planned *f, const struct kind *const *kinds, const char *yaml,
                  struct err *e);
/* The ids of the plan are `want`, with spaces between. */
void planned_order(struct planned *f, const struct kind *const *kinds, const char *yaml,
                   const char *want);
