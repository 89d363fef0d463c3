/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe as a chain of layers. The order is: the base; then, for the parent recipe and for the
 * recipe itself, the copies, each step of the plan, each component, and the tests with the check of
 * its features. What no image may contain (hygiene.h) is removed before the last tests, or fails
 * the build if a person has to decide; the manifest is then written into the complete image.
 *
 * A layer's key is the digest of: the key of the layer below, what the step says (canon.h), the
 * files it takes in, the architecture, and CHAIN_ABI. A recipe's layout, comments and names don't
 * affect it.
 *
 * A type of step is a file chain_TYPE.c with a `struct chain_type`, and its row in chain.c.
 */
#pragma once

#include "component/component_fetch.h"
#include "lock/lock_files.h"
#include "plan/plan.h"
#include "recipe/input.h"
#include "recipe/recipe.h"
#include "store/layer.h"

/* Raised whenever the same key would no longer mean the same content. */
#define CHAIN_ABI "hpc-imagebuild layer 3"

#define CHAIN_BASE_MS      3600000  /* for the base; also for copies */
#define CHAIN_COMPONENT_MS 14400000 /* for one component; its steps have limits of their own */

/* Stored beside the cleaned layer's tree: the image's SBOM, without the digest of an output. */
#define CHAIN_SBOM "sbom.spdx.json"
/* Beside the cleaned layer's tree too, and that of a failed one: hygiene_json() with the intent. */
#define CHAIN_REPORT "hygiene.json"

struct chain;
struct chain_step;
struct chain_making; /* chain_own.h */
struct sandbox_job;  /* sandbox.h */

struct chain_type {
	const char *name; /* "base", for `plan` */
	bool layer;       /* its changes are part of the image; else it only inspects */
	bool outside;     /* works on the merged layers, not inside the image */
	bool first, last; /* only of the lowest recipe; only of the uppermost */
	bool has_sbom;    /* CHAIN_SBOM and CHAIN_REPORT are stored beside its tree */
	/* Adds this type's steps of one recipe: none, one or several. Reads the files that enter
	 * keys. */
	int (*add)(struct chain *c, const struct recipe *r, struct err *e);
	/* The job that `make` runs in the sandbox; NULL: it has none of its own. */
	const struct sandbox_job *job;
	/* Carries one step out, into the layer's tree. */
	int (*make)(const struct chain_making *m, struct err *e);
	/* Time limit of a step in ms; NULL: CHAIN_BASE_MS. */
	uint64_t (*timeout_ms)(const struct chain_step *s);
};

struct chain_step {
	const struct chain_type *type;
	const struct recipe *recipe;
	const char *name; /* "base debian:bookworm", "copy", "files:/etc/motd", "component x" */
	const char *says; /* everything the key covers, except the layers below; NULL: refused */
	struct input_list inputs;         /* what `says` is made of, for reporting what changed */
	struct component_fetches fetches; /* what is fetched for it before it runs */
	bool network;
	bool declared; /* its tree is what the recipe puts in by path: no caches to leave out */
	void *data;    /* private to its type */
};

struct chain {
	struct arena *arena;
	const struct lock *lock;
	/* Set by callers that make layers: where they go, and what fetches files. */
	struct store *store;
	const struct lock_source *source;
	size_t n;
	struct chain_step *steps;
	struct component_list components; /* of the recipe whose steps are being added */
	bool outline;
	struct err refused; /* chain_outline: no > 0: why it can't be built here */
};

/* Reads the files that enter keys; changes nothing. `lock` may be NULL; then what components fetch
 * needs a checksum in their documents. */
int chain_plan(const struct recipe *r, const struct lock *lock, struct arena *a, struct chain *ret,
               struct err *e) ATTR_MUST_USE;

/* Like chain_plan, but also lists the steps of what can't be built here: without a base, or with
 * missing files to copy. */
int chain_outline(const struct recipe *r, const struct lock *lock, struct arena *a,
                  struct chain *ret, struct err *e) ATTR_MUST_USE;

/* The key of step `i` over the layer `below` ("" for the base). */
void chain_key(const struct chain *c, size_t i, const char *below, char ret[static SHA256_HEX]);

/* The types, in the order of a recipe's steps; ends with NULL. */
extern const struct chain_type *const chain_types[];

/* The plan that the step belongs to, and its index there; NULL: it doesn't come from a plan. */
const struct plan *chain_plan_of(const struct chain_step *s, size_t *ret_at);

/* Carries out step `i` over the layers, into l->tree; its output goes to the layer's log. */
int chain_make(const struct chain *c, size_t i, const char *const *layers, struct layer *l,
               struct err *e) ATTR_MUST_USE;
