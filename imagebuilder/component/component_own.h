/* SPDX-License-Identifier: Apache-2.0 */
/* Private to component*.c: rounds, actions, references and conditions. */
#pragma once

#include "component/component.h"

extern const char *const component_phases[]; /* by enum component_phase, then NULL */

/* Names of steps, and with '[' and ']' references to them. */
#define COMPONENT_NAME_OTHERS "_-.,:/()#+"
#define COMPONENT_NAME_LETTERS                                                                     \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 " COMPONENT_NAME_OTHERS

/* Reads constants and parameters into the component's names; `given` are the recipe's parameter
 * values. */
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
	const struct component_env *env; /* NULL while a text is only checked */
	struct arena *arena;
	const char *loop_value; /* NULL: no loop */
	size_t loop_index;
	size_t input; /* index of the current map of inputs */
	uint64_t deadline;
	bool *unknown; /* set if a checked text refers to what is only known at run time; or NULL */
};
/* How often a step runs: once without a loop. */
size_t component_rounds(const struct component_step *s);
/* The i-th round. */
struct component_round component_round(const struct component *c, struct component_step *s,
                                       size_t i, const struct component_env *env, struct arena *a);

/*
 * An action. Its inputs are one map, or a list of maps that are processed one by one, decoded by
 * `fields` into `size` bytes. `run` gets each: 0, 1 for a restart, <0 for a failure.
 */
struct component_action {
	const char *name;
	const char *output;  /* NAME in outputs.NAME; NULL: it has no output */
	const char *offline; /* why a build can't do it; NULL: it can */
	bool fetches;        /* downloads its `source`, which a build fetches beforehand */
	const struct field *fields;
	size_t size;
	const void *defaults;
	int (*check)(const struct doc *at, const void *inputs, struct err *e); /* or NULL */
	int (*run)(const struct component_round *round, const void *inputs, struct err *e);
};

/* Each ends with a row whose name is NULL. */
extern const struct component_action component_program_actions[];
extern const struct component_action component_file_actions[];
extern const struct component_action component_tree_actions[];
extern const struct component_action component_transfer_actions[];

/* Sets the step's output for this map of its inputs, for references. */
void component_output(const struct component_round *round, const char *text);

/* Runs a program to its end, and keeps its stdout as the output; 1: it asks for a restart with
 * status 194. `what` names it in messages. */
int component_program(const struct component_round *round, const char *const *argv,
                      const char *const *env, const char *what, struct err *e) ATTR_MUST_USE;

/* Finds an action by name; one of AWS's that is not supported here is an error that says why, at
 * `at`. */
int component_action_find(const struct doc *at, const struct component_action **ret,
                          struct err *e) ATTR_MUST_USE;
/* Checks that the inputs have the form the action expects; with `run`, carries out each. */
int component_action_each(const struct component_round *round, const struct doc *inputs, bool run,
                          struct err *e) ATTR_MUST_USE;

/*
 * A copy of `d` with `{{ }}` references expanded. While a text is only checked (env NULL), an
 * output that isn't known yet is COMPONENT_UNKNOWN, so that only what can never be valid is an
 * error.
 */
#define COMPONENT_UNKNOWN "/unknown"
int component_expand(const struct component_round *round, const struct doc *d, struct doc **ret,
                     struct err *e) ATTR_MUST_USE;

/* 1: it holds; 0: not. `d` is already expanded. While a text is only checked, just its form
 * matters. */
int component_holds(const struct component_round *round, const struct doc *d,
                    struct err *e) ATTR_MUST_USE;

/* The result of the step's `if`, with its `then` (default: Execute) and `else` (default: Skip);
 * Execute without an `if`. */
enum component_verdict { VERDICT_EXECUTE, VERDICT_SKIP, VERDICT_ABORT };
int component_verdict(const struct component_round *round, enum component_verdict *ret,
                      struct err *e) ATTR_MUST_USE;

/* Whether the text has what the pattern in *own describes, a regular expression as Go has them as far
 * as regcomp(3) goes: 1, 0, or ERR_INPUT for one that is none or would take too much memory. */
int component_pattern(const struct doc *own, const char *value, struct arena *a,
                      struct err *e) ATTR_MUST_USE;
