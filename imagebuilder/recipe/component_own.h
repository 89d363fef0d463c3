/* SPDX-License-Identifier: Apache-2.0 */
/* Private to component*.c: actions, references and conditions. */
#pragma once

#include "recipe/component.h"

/* One round of a step. */
struct component_round {
	const struct component *component;
	struct component_step *step;
	const struct component_env *env; /* NULL while a text is checked */
	struct arena *arena;
	const char *loop_value; /* NULL: no loop */
	size_t loop_index;
	uint64_t deadline;
	bool *unknown; /* set while a text is checked that has what only running tells; or NULL */
};

/*
 * An action. Its inputs are one map, or a list of maps that are worked off one by one, decoded by
 * `fields` into `size` bytes. `run` gets each: 0, 1 for a restart, <0 for a failure.
 */
struct component_action {
	const char *name;
	bool one;     /* inputs are one map */
	bool running; /* needs a running machine */
	const struct field *fields;
	size_t size;
	const void *defaults;
	int (*check)(const struct doc *at, const void *inputs, struct err *e); /* or NULL */
	int (*run)(const struct component_round *r, const void *inputs, struct err *e);
};

/* Those that handle files; ends at name NULL. */
extern const struct component_action component_file_actions[];

/* Runs a program to its end, keeps its stdout for references; 1: it asks for a restart by status
 * 194. `what` names it in messages. */
int component_program(const struct component_round *r, const char *const *argv,
                      const char *const *env, const char *what, struct err *e) ATTR_MUST_USE;

/* By name; what is AWS's but not for here is an error that says why, at `at`. */
int component_action_find(const struct doc *at, const struct component_action **ret,
                          struct err *e) ATTR_MUST_USE;
/* The inputs have the shape the action wants; with `run`, each is carried out. */
int component_action_each(const struct component_round *r, const struct doc *inputs, bool run,
                          struct err *e) ATTR_MUST_USE;

/*
 * A copy of `d` with what `{{ }}` means put in. While a text is checked (env NULL) an output that
 * isn't known yet is COMPONENT_UNKNOWN, so that only what can't hold is an error.
 */
#define COMPONENT_UNKNOWN "/unknown"
int component_expand(const struct component_round *r, const struct doc *d, struct doc **ret,
                     struct err *e) ATTR_MUST_USE;

/* 1: it holds; 0: not. `d` is expanded already. While a text is checked only its form counts. */
int component_holds(const struct component_round *r, const struct doc *d,
                    struct err *e) ATTR_MUST_USE;

/* What a step's `if` comes to, with its `then` (default: Execute) and `else` (default: Skip). */
enum component_verdict { VERDICT_EXECUTE, VERDICT_SKIP, VERDICT_ABORT };
int component_if(const struct component_round *r, const struct doc *d, enum component_verdict *ret,
                 struct err *e) ATTR_MUST_USE;
