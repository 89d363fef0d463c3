/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe as a chain of layers: the base, then for the recipe it is from and for itself the
 * copies, each step of the plan in its order, each component, and the tests with the proof of its
 * features. What no image
 * may have (hygiene.h) is removed before the last tests, or fails the build where a person has to
 * look; the manifest is written into what is then whole.
 *
 * A layer's key is the digest of the one below, of what the step says (canon.h), of the files it
 * takes in, the architecture, and CHAIN_ABI. A recipe's layout, comments and names don't enter.
 */
#pragma once

#include "build/base.h"
#include "look/manifest.h"
#include "recipe/component.h"
#include "recipe/copy.h"
#include "recipe/input.h"
#include "recipe/lock_files.h"
#include "recipe/test.h"
#include "store/layer.h"

/* Raised when the same key would no longer mean the same content. */
#define CHAIN_ABI "hpc-imagebuild layer 1"

#define CHAIN_BASE_MS      3600000  /* for the base; copies have as long */
#define CHAIN_COMPONENT_MS 14400000 /* for one component; its steps have limits of their own */

/* Beside the tree of the cleaned layer: the image's SBOM, without the digest of any one output. */
#define CHAIN_SBOM "sbom.spdx.json"

enum chain_type { CHAIN_BASE, CHAIN_COPY, CHAIN_STEP, CHAIN_COMPONENT, CHAIN_CLEAN, CHAIN_TESTS };

struct chain_step {
	enum chain_type type;
	const char *name; /* "base debian:bookworm", "copy", "files:/etc/motd", "component
	                       x", "tests" */
	const char *says; /* all that the key is made of, but for what is below; NULL: refused */
	struct base base;
	struct copy_list copies;
	struct component_list components; /* CHAIN_COMPONENT: one; CHAIN_TESTS: all */
	struct component_fetches fetches; /* of those components, and of what is run of them here */
	struct test_list tests;
	struct plan one;       /* CHAIN_STEP: that step alone, */
	const struct plan *of; /* and where it comes from: its index there */
	size_t at;
	const char **allow;       /* CHAIN_CLEAN: a hygiene_allow */
	struct manifest manifest; /* CHAIN_CLEAN; the epoch is found when it is written */
	bool network;
	const struct recipe *recipe;
	struct input_list inputs; /* what `says` is made of, for telling what changed */
};

struct chain {
	struct arena *arena;
	const struct lock *lock;
	/* Set by who makes layers: where they go, and what files are fetched with. */
	struct store *store;
	const struct lock_source *source;
	size_t n;
	struct chain_step *steps;
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

/* Whether what it changes is part of the image; tests only look at it. */
static inline bool chain_is_layer(const struct chain_step *s)
{
	return s->type != CHAIN_TESTS;
}

/* Carries step `i` out over the layers, into l->tree; what it says goes to the layer's log. */
int chain_make(const struct chain *c, size_t i, const char *const *layers, struct layer *l,
               struct err *e) ATTR_MUST_USE;

/* What the recipe itself puts into the image that hygiene would else find: a hygiene_allow. */
const char *const *chain_allowed(const struct recipe *r, struct arena *a);
