/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe as a chain of layers: the base, then for the recipe it is from and for itself the
 * copies, each step of the plan in its order, each component, and the tests with the proof of its
 * features. What no image may have (hygiene.h) is removed before the last tests, or fails the build
 * where a person has to look; the manifest is written into what is then whole.
 *
 * A layer's key is the digest of the one below, of what the step says (canon.h), of the files it
 * takes in, the architecture, and CHAIN_ABI. A recipe's layout, comments and names don't enter.
 *
 * A type of step is a file chain_TYPE.c with a `struct chain_type`, and its row in chain.c.
 */
#pragma once

#include "plan/plan.h"
#include "recipe/component_fetch.h"
#include "recipe/input.h"
#include "recipe/lock_files.h"
#include "recipe/recipe.h"
#include "store/layer.h"

/* Raised when the same key would no longer mean the same content. */
#define CHAIN_ABI "hpc-imagebuild layer 1"

#define CHAIN_BASE_MS      3600000  /* for the base; copies have as long */
#define CHAIN_COMPONENT_MS 14400000 /* for one component; its steps have limits of their own */

/* Beside the tree of the cleaned layer: the image's SBOM, without the digest of any one output. */
#define CHAIN_SBOM "sbom.spdx.json"

struct chain;
struct chain_step;
struct chain_making; /* chain_own.h */
struct sandbox_job;  /* sandbox.h */

struct chain_type {
	const char *name; /* "base", for `plan` */
	bool layer;       /* what it changes is part of the image; else it only looks at it */
	bool outside;     /* works on the joined layers rather than in the image */
	bool first, last; /* only of the lowest recipe; only of the uppermost */
	bool has_sbom;    /* CHAIN_SBOM lies beside its tree */
	/* Adds its steps of one recipe: none, one or several. Reads the files that enter keys. */
	int (*add)(struct chain *c, const struct recipe *r, struct err *e);
	/* What `make` runs in the sandbox; NULL: nothing of its own. */
	const struct sandbox_job *job;
	/* Carries one out into the layer's tree. */
	int (*make)(const struct chain_making *m, struct err *e);
	/* How long that may take, ms; NULL: CHAIN_BASE_MS. */
	uint64_t (*timeout_ms)(const struct chain_step *s);
};

struct chain_step {
	const struct chain_type *type;
	const struct recipe *recipe;
	const char *name; /* "base debian:bookworm", "copy", "files:/etc/motd", "component x" */
	const char *says; /* all that the key is made of, but for what is below; NULL: refused */
	struct input_list inputs;         /* what `says` is made of, for telling what changed */
	struct component_fetches fetches; /* what is fetched for it before it runs */
	bool network;
	void *data; /* its type's */
};

struct chain {
	struct arena *arena;
	const struct lock *lock;
	/* Set by who makes layers: where they go, and what files are fetched with. */
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

/* chain_plan that also tells the steps of what can't be built here: without a base, with files to
 * copy that aren't there. */
int chain_outline(const struct recipe *r, const struct lock *lock, struct arena *a,
                  struct chain *ret, struct err *e) ATTR_MUST_USE;

/* The key of step `i` over the layer `below` ("" for the base). */
void chain_key(const struct chain *c, size_t i, const char *below, char ret[static SHA256_HEX]);

/* The types in the order of a recipe's steps; ends with NULL. */
extern const struct chain_type *const chain_types[];

/* The plan that a step is one of, and its index there; NULL: it is none of a plan. */
const struct plan *chain_plan_of(const struct chain_step *s, size_t *ret_at);

/* Carries step `i` out over the layers, into l->tree; what it says goes to the layer's log. */
int chain_make(const struct chain *c, size_t i, const char *const *layers, struct layer *l,
               struct err *e) ATTR_MUST_USE;

/* What the recipe itself puts into the image that hygiene would else find: a hygiene_allow. */
const char *const *chain_allowed(const struct recipe *r, struct arena *a);
