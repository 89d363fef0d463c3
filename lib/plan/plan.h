/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in their derived order: built from a spec, printed, and handed to run.h. */
#pragma once

#include "plan/step.h"

#define PLAN_STEPS_MAX 4096

/* Why a step waits for another one. */
struct plan_edge {
	size_t before;    /* index of the step that comes first */
	const char *need; /* the name that the step provides; NULL: it comes from `after` */
};

struct plan {
	struct arena *arena;
	size_t n;
	struct step **
	        steps; /* in an order that respects every edge; ties by order of kinds, then file */
	struct plan_edges { /* same index as steps; one edge a pair of steps, a need rather than
		               `after` */
		size_t n;
		struct plan_edge *items;
	} * edges;
};

/*
 * From the sections of `spec` (a map, or nothing) to a plan. `kinds` ends with NULL. Section names
 * that are in `ignore` (NULL-terminated, may be NULL) are the caller's own; any other name that no
 * kind has is an error with the nearest known one. A section without a value has no steps. A cycle
 * is an error that prints the path which closes it: "a needs path:/x of b, b needs user:y of a".
 * `faults` as in data/faults.h; the order of the steps is looked at once all of them are right.
 */
int plan_build(const struct doc *spec, const struct kind *const *kinds, const char *const *ignore,
               const struct vars *facts, struct faults *faults, struct arena *a, struct plan *ret,
               struct err *e) ATTR_MUST_USE;

/* Looks for the faults that plan_build() would find in each section by itself: for a part of a spec,
 * whose steps have no order yet. */
int plan_check(const struct doc *spec, const struct kind *const *kinds, const char *const *ignore,
               const struct vars *facts, struct faults *faults, struct arena *a,
               struct err *e) ATTR_MUST_USE;

/* One line a step, "  3 mounts:/home   after slurm-user, ...", for people. */
void plan_print(const struct plan *p, struct strbuf *out);

/* For those who tell more of each step: "  after a, b", or nothing; and the members of its JSON
 * object, without its id. */
void plan_print_after(const struct plan *p, size_t i, struct strbuf *out);
struct jsonw;
void plan_json_step(const struct plan *p, size_t i, struct jsonw *w);
