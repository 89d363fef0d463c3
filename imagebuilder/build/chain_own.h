/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the types of steps: adding steps to a chain, and carrying one out in the sandbox. */
#pragma once

#include "build/chain.h"
#include "sandbox/sandbox.h"

#define CHAIN_SAYS_MAX (8UL << 20) /* bytes of what one step says */

/* The types, one a file, in the order of a recipe's steps. */
extern const struct chain_type chain_base, chain_copy, chain_plan_step, chain_component,
        chain_clean, chain_tests;

/* ---- for chain_type.add (chain_add.c) ---- */

/* Appends a step of the recipe to the chain; chain_says() sets what it says. */
struct chain_step *chain_add(struct chain *c, const struct chain_type *type, const struct recipe *r,
                             const char *name, void *data);
/* -EFBIG if it is longer than CHAIN_SAYS_MAX. */
int chain_says(struct chain_step *s, const struct strbuf *says, struct err *e) ATTR_MUST_USE;
/* Handles an error about what can't be built here: an outline continues, with the step but without
 * its key. */
int chain_refuse(struct chain *c, int r, const struct err *e);
/* Sets what a step fetches, with digests, which become part of what it says. */
int chain_fetches(struct chain *c, struct chain_step *s, struct component_fetches *all,
                  struct strbuf *says, struct err *e) ATTR_MUST_USE;
/* The same for these components in these phases. */
int chain_component_fetches(struct chain *c, struct chain_step *s,
                            const struct component_list *components, unsigned phases,
                            struct strbuf *says, struct err *e) ATTR_MUST_USE;

/* ---- for chain_type.make (chain_inside.c) ---- */

struct chain_making {
	const struct chain *chain;
	const struct chain_step *step;
	const char *const *layers; /* below, NULL-terminated */
	struct layer *layer;
	uint64_t deadline;                       /* of the step itself */
	int64_t epoch;                           /* SOURCE_DATE_EPOCH of what it runs */
	const struct component_fetches *fetches; /* opened */
};

/* Runs the job in the sandbox; it gets the fetched files. */
int chain_run(const struct chain_making *m, const struct sandbox_job *job, void *arg,
              struct err *e) ATTR_MUST_USE;

/* ---- for jobs (chain_inside.c) ---- */

/* What every job of a chain needs. */
struct chain_inside {
	const char *const *layers;
	const char *dir;
	uint64_t deadline, epoch;
	struct field_strings fetched; /* addresses; the files are the sandbox's descriptors */
};
struct chain_inside chain_inside(const struct chain_making *m, struct arena *a);
void chain_inside_parcel(struct parcel *p, struct chain_inside *in);

/* Sends a recipe with what is needed to plan its sections and to check its features. */
void chain_recipe_parcel(struct parcel *p, struct recipe *r);

/* A component as it was read, for component_read_document(). */
struct chain_document {
	const char *file;
	const struct doc *doc;
	struct field_pairs given;
};
struct chain_documents {
	size_t n;
	struct chain_document *items;
};
struct chain_documents chain_documents(const struct component_list *l, struct arena *a);
void chain_documents_parcel(struct parcel *p, struct chain_documents *l);
/* Runs their steps of these phases. */
int chain_run_components(const struct chain_documents *l, unsigned phases,
                         const struct chain_inside *in, struct host *h,
                         struct err *e) ATTR_MUST_USE;

/* Sends log records to stderr, and so to the layer's log. */
void chain_log_inside(void);
/* Opens the image the process runs in; no services are started in it. */
int chain_open_image(const struct chain_inside *in, struct host **ret, struct err *e) ATTR_MUST_USE;
/* Opens the merged layers, from outside the image. */
int chain_open_joined(const struct chain_inside *in, struct host **ret,
                      struct err *e) ATTR_MUST_USE;
/* A handle for fetching that finds only what was fetched for the step. */
struct cloud *chain_open_fetched(const struct chain_inside *in, struct arena *a);
