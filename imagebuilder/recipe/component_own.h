/* SPDX-License-Identifier: Apache-2.0 */
/* Private to component*.c: rounds, actions, references and conditions. */
#pragma once

#include "recipe/component.h"

extern const char *const component_phases[]; /* by enum component_phase, then NULL */

/* Reads both into the component's names; `given` are the recipe's values of parameters. */
int component_names(const struct doc *constants, const struct doc *parameters,
                    const struct field_pairs *given, struct component *c, struct arena *a,
                    struct err *e) ATTR_MUST_USE;
/* Reads a step's `loop`. */
int component_loop(const struct component *c, const struct doc *d, struct component_step *s,
                   struct arena *a, struct err *e) ATTR_MUST_USE;

/* One round of a step. */
struct component_round {
	const struct component *component;
	struct component_step *step;
	const struct component_env *env; /* NULL while a text is checked */
	struct arena *arena;
	const char *loop_value; /* NULL: no loop */
	size_t loop_index;
	size_t input; /* which of its maps of inputs is worked off */
	uint64_t deadline;
	bool *unknown; /* set while a text is checked that has what only running tells; or NULL */
};
/* How often a step runs: once without a loop. */
size_t component_rounds(const struct component_step *s);
/* The i-th of them. */
struct component_round component_round(const struct component *c, struct component_step *s,
                                       size_t i, const struct component_env *env, struct arena *a);

/*
 * An action. Its inputs are one map, or a list of maps that are worked off one by one, decoded by
 * `fields` into `size` bytes. `run` gets each: 0, 1 for a restart, <0 for a failure.
 */
struct component_action {
	const char *name;
	const char *output;  /* what references call it: outputs.NAME; NULL: it has none */
	const char *offline; /* why a build can't do it; NULL: it can */
	bool fetches;        /* gets what its `source` names, which a build fetches before */
	const struct field *fields;
	size_t size;
	const void *defaults;
	int (*check)(const struct doc *at, const void *inputs, struct err *e); /* or NULL */
	int (*run)(const struct component_round *round, const void *inputs, struct err *e);
};

/* Each ends at name NULL. */
extern const struct component_action component_program_actions[];
extern const struct component_action component_file_actions[];
extern const struct component_action component_tree_actions[];
extern const struct component_action component_transfer_actions[];

/* The step's output of this map of its inputs, for references. */
void component_output(const struct component_round *round, const char *text);

/* Runs a program to its end, and keeps its stdout as the output; 1: it asks for a restart by status
 * 194. `what` names it in messages. */
int component_program(const struct component_round *round, const char *const *argv,
                      const char *const *env, const char *what, struct err *e) ATTR_MUST_USE;

/* By name; what is AWS's but not for here is an error that says why, at `at`. */
int component_action_find(const struct doc *at, const struct component_action **ret,
                          struct err *e) ATTR_MUST_USE;
/* The inputs have the shape the action wants; with `run`, each is carried out. */
int component_action_each(const struct component_round *round, const struct doc *inputs, bool run,
                          struct err *e) ATTR_MUST_USE;

/*
 * A copy of `d` with what `{{ }}` means put in. While a text is checked (env NULL) an output that
 * isn't known yet is COMPONENT_UNKNOWN, so that only what can't hold is an error.
 */
#define COMPONENT_UNKNOWN "/unknown"
int component_expand(const struct component_round *round, const struct doc *d, struct doc **ret,
                     struct err *e) ATTR_MUST_USE;

/* 1: it holds; 0: not. `d` is expanded already. While a text is checked only its form counts. */
int component_holds(const struct component_round *round, const struct doc *d,
                    struct err *e) ATTR_MUST_USE;

/* What the step's `if` comes to, with its `then` (default: Execute) and `else` (default: Skip);
 * Execute without an `if`. */
enum component_verdict { VERDICT_EXECUTE, VERDICT_SKIP, VERDICT_ABORT };
int component_verdict(const struct component_round *round, enum component_verdict *ret,
                      struct err *e) ATTR_MUST_USE;
