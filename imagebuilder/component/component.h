/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Image Builder component documents (schemaVersion 1.0), as the AWS Task Orchestrator and
 * Executor reads them: EC2 Image Builder User Guide, "Create custom components".
 *
 *     components:
 *       - components/tools.yaml
 *       - {file: components/mpi.yaml, parameters: {Version: "4.1"}}
 *
 * Phases build and validate run after the recipe's sections, test with its tests. A step has
 * onFailure (Abort, Continue, Ignore), maxAttempts, timeoutSeconds, loop (for, forEach) and if.
 * `{{ name }}` is a constant or parameter; also `{{ loop.index }}`, `{{ loop.value }}`,
 * `{{ phase.step.outputs.stdout }}`, `{{ phase.step.inputs[0].key }}`. Other texts in braces stay.
 * Relative paths are below `/`. Whatever isn't only known at run time is checked when the document
 * is read. Actions without a place in a Linux image are refused.
 */
#pragma once

#include "cloud/cloud.h"
#include "data/field.h"
#include "host/host.h"

#define COMPONENT_SIZE_MAX   (1024 * 1024) /* bytes of a document */
#define COMPONENT_STEPS_MAX  256           /* of one document */
#define COMPONENT_LOOP_MAX   1000
#define COMPONENT_TIMEOUT_MS (2ULL * 3600 * 1000)  /* where a step has no timeoutSeconds */
#define COMPONENT_LONGEST_MS (24ULL * 3600 * 1000) /* also the limit of -1, "no limit" */
#define COMPONENT_REBOOT     194 /* exit status by which a script asks for a restart */
#define COMPONENT_FILE_MAX   (256UL << 20)

enum component_phase { PHASE_BUILD, PHASE_VALIDATE, PHASE_TEST, PHASE_COUNT };
/* Sets of phases, as bits. */
#define PHASES_MAKE (1U << PHASE_BUILD | 1U << PHASE_VALIDATE)
#define PHASES_TEST (1U << PHASE_TEST)
#define PHASES_ALL  (PHASES_MAKE | PHASES_TEST)
const char *component_phase_name(enum component_phase p);

enum component_on_failure { FAILURE_ABORT, FAILURE_CONTINUE, FAILURE_IGNORE };

struct component_action; /* component_own.h */

struct component_step {
	const char *name;
	enum component_phase phase;
	const struct component_action *action;
	const struct doc *inputs; /* as written; NULL: none */
	int on_failure;           /* enum component_on_failure */
	int64_t attempts;
	uint64_t timeout_ms;
	const char *loop_name;          /* "loop" unless the document names it */
	struct field_strings loop_over; /* one value a round; n 0: no loop */
	const struct doc *condition;    /* `if`, or NULL */
	const struct doc *at;
	/* The results of running it, for references; filled by components_run. */
	bool done;
	struct field_strings outs; /* the last round's outputs, one for each map of its inputs */
	const struct doc *ran;     /* the inputs with all references expanded */
};

struct component {
	const char *name, *file;
	struct field_pairs given; /* parameter values from the recipe */
	struct vars names;        /* constants and parameters */
	size_t n;
	struct component_step *steps; /* in the order of phases, then of the text */
	struct field_strings notes;   /* what is left out, with its place */
	const struct doc *at;
};

struct component_list {
	size_t n;
	struct component *items;
};

/*
 * Iterates over the steps that are in these phases, in the order they run: by phase, then by
 * the list's order of components, then by the order of a component's steps. Begins with {0}.
 */
struct component_walk {
	enum component_phase phase;
	size_t nth;                  /* of the component in the list */
	size_t next;                 /* index of the next step of that component */
	struct component *component; /* the step that was found */
	struct component_step *step;
};
bool component_next(const struct component_list *l, unsigned phases, struct component_walk *w);

/* Reads and checks the documents that `list` (a recipe's `components:`, may be NULL) names. With
 * `faults` all of a document: behind the first one references are not followed. */
int component_read(const struct doc *list, struct faults *faults, struct arena *a,
                   struct component_list *ret, struct err *e) ATTR_MUST_USE;

/* An entry of `components:` that is a map: for the schema. */
extern const struct field component_entry_fields[];

/* The same for one document in memory; `file` is what messages call it. */
int component_read_text(const char *file, struct blob text, struct arena *a,
                        struct component_list *ret, struct err *e) ATTR_MUST_USE;

/* The same for one document that is already parsed, with parameter values. */
int component_read_document(const char *file, const struct doc *d, const struct field_pairs *given,
                            struct arena *a, struct component *ret, struct err *e) ATTR_MUST_USE;

/* An action that a build can't do, such as Reboot, is ERR_INPUT at its place, with the reason. */
int component_offline(const struct component_list *l, struct err *e) ATTR_MUST_USE;

struct component_env {
	struct host *host;
	struct cloud *cloud;
	struct arena *arena; /* outputs live here */
	uint64_t deadline;
	bool may_reboot; /* the host is a running machine whose caller restarts it */
	/* Called when a step begins; may be NULL. */
	void (*step)(void *ctx, const struct component *c, const struct component_step *s);
	void *ctx;
};

/* Runs the steps of these phases, except those that are `done`. 0: all succeeded. 1: the machine
 * must be restarted and the call repeated, with the same steps done. <0: a step failed; the message
 * has its place, phase and name. After onFailure: Continue the rest of that component's phase still
 * runs. */
int components_run(const struct component_list *l, unsigned phases, const struct component_env *env,
                   struct err *e) ATTR_MUST_USE;
