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
 * onFailure (Abort, Continue, Ignore), maxAttempts, timeoutSeconds, loop (for, forEach) and if;
 * `{{ name }}` is a constant or parameter, `{{ loop.index }}`, `{{ loop.value }}`,
 * `{{ phase.step.outputs.stdout }}` or `{{ phase.step.inputs[0].key }}`. All is checked when it is
 * read, but for what only running tells. Actions that have no place in a Linux image are refused.
 */
#pragma once

#include "cloud/cloud.h"
#include "data/field.h"
#include "host/host.h"

#define COMPONENT_STEPS_MAX  256 /* of one document */
#define COMPONENT_LOOP_MAX   1000
#define COMPONENT_TIMEOUT_MS (2ULL * 3600 * 1000)  /* where a step has no timeoutSeconds */
#define COMPONENT_LONGEST_MS (24ULL * 3600 * 1000) /* also of -1, "no limit" */
#define COMPONENT_REBOOT     194 /* exit status by which a script asks for a restart */
#define COMPONENT_FILE_MAX   (256UL << 20)

enum component_phase { PHASE_BUILD, PHASE_VALIDATE, PHASE_TEST, PHASE_COUNT };
const char *component_phase_name(enum component_phase p);

enum component_on_failure { FAILURE_ABORT, FAILURE_CONTINUE, FAILURE_IGNORE };

struct component_action; /* component_action.h */

struct component_step {
	const char *name;
	enum component_phase phase;
	const struct component_action *action;
	const struct doc *inputs; /* as written; NULL: none */
	int on_failure;           /* enum component_on_failure */
	int64_t attempts;
	uint64_t timeout_ms;
	const char *loop_name;          /* "loop" unless it has one */
	struct field_strings loop_over; /* values, one a round; n 0: no loop */
	const struct doc *condition;    /* `if`, or NULL */
	const struct doc *at;
	/* What running it left, for references; component_run fills them. */
	bool done;
	const char *out;       /* stdout of the last round, without its last newline */
	const struct doc *ran; /* the inputs with everything put in */
};

struct component {
	const char *name, *file;
	struct vars names; /* constants and parameters */
	size_t n;
	struct component_step *steps; /* in the order of phases, then of the text */
	const struct doc *at;
};

struct component_list {
	size_t n;
	struct component *items;
};

/* Reads the documents that `list` (a recipe's `components:`, may be NULL) names, and checks them.
 */
int component_read(const struct doc *list, struct arena *a, struct component_list *ret,
                   struct err *e) ATTR_MUST_USE;

/* An entry of `components:` that is a map: for the schema. */
extern const struct field component_entry_fields[];

/* The same for one document that is in memory; `file` is what messages call it. */
int component_read_text(const char *file, struct blob text, struct arena *a,
                        struct component_list *ret, struct err *e) ATTR_MUST_USE;

/* An action that needs a running machine, such as Reboot, is ERR_INPUT at its place: for images
 * that are built without being started. */
int component_offline(const struct component_list *l, struct err *e) ATTR_MUST_USE;

/* What a build fetches for a component before it enters the sandbox, where it has no cloud. */
struct component_fetch {
	const char *uri;
	const char *sha256; /* 64 hex digits, or NULL: the document has none */
	const struct doc *at;
	int fd; /* of the content, when there is one; -1 */
};
struct component_fetches {
	size_t n;
	struct component_fetch *items; /* each address once, in the order of the text */
};

/* Adds what the downloads of these phases (bits 1 << component_phase) name to the list. An address
 * that only running a step tells, or one with two checksums, is ERR_INPUT at its place. */
int component_fetches(const struct component *c, unsigned phases, struct arena *a,
                      struct component_fetches *ret, struct err *e) ATTR_MUST_USE;

/* Adds one; `sum` may be NULL. One address with two digests is ERR_INPUT at the latter's place. */
int component_fetches_add(struct component_fetches *l, const char *uri, const char *sum,
                          const struct doc *at, struct arena *a, struct err *e) ATTR_MUST_USE;

struct component_env {
	struct host *host;
	struct cloud *cloud;
	struct arena *arena; /* outputs live here */
	uint64_t deadline;
	bool may_reboot; /* the host is a running machine whose caller restarts it */
	/* Called as a step begins; NULL: nobody listens. */
	void (*step)(void *ctx, const struct component *c, const struct component_step *s);
	void *ctx;
};

/*
 * Runs one phase of one component; steps that are `done` are skipped. 0: all went well. 1: the
 * machine must be restarted and the call repeated, with the same steps done. <0: a step failed; the
 * message has its place, phase and name.
 */
int component_run(struct component *c, enum component_phase phase, const struct component_env *env,
                  struct err *e) ATTR_MUST_USE;
