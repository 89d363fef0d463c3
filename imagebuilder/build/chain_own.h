/* SPDX-License-Identifier: Apache-2.0 */
/* What the types of steps share: adding steps to a chain, and carrying one out in the sandbox. */
#pragma once

#include "build/chain.h"
#include "build/sandbox.h"

#define CHAIN_SAYS_MAX (8UL << 20) /* bytes of what one step says */

/* The types, one a file, in the order in which a recipe's steps come. */
extern const struct chain_type chain_base, chain_copy, chain_plan_step, chain_component,
        chain_clean, chain_tests;

/* ---- for chain_type.add (chain_add.c) ---- */

/* A step of the recipe at the end of the chain; what it says is set by chain_says(). */
struct chain_step *chain_add(struct chain *c, const struct chain_type *type, const struct recipe *r,
                             const char *name, void *data);
/* -EFBIG where there is more of it than a step may say. */
int chain_says(struct chain_step *s, const struct strbuf *says, struct err *e) ATTR_MUST_USE;
/* An error of what can't be built here: an outline goes on, with the step and without its key. */
int chain_refuse(struct chain *c, int r, const struct err *e);
/* What a step fetches, with digests, which are part of what it says. */
int chain_fetches(struct chain *c, struct chain_step *s, struct component_fetches *all,
                  struct strbuf *says, struct err *e) ATTR_MUST_USE;
/* The same of these components in these phases. */
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
	const struct component_fetches *fetches; /* opened */
};

/* In the sandbox; the job gets the fetched files. */
int chain_run(const struct chain_making *m, const struct sandbox_job *job, void *arg,
              struct err *e) ATTR_MUST_USE;

/* ---- for jobs (chain_inside.c) ---- */

/* What every job of a chain needs to know. */
struct chain_inside {
	const char *const *layers;
	const char *dir;
	uint64_t deadline;
	struct field_strings fetched; /* addresses; their files are the sandbox's descriptors */
};
struct chain_inside chain_inside(const struct chain_making *m, struct arena *a);
void chain_inside_parcel(struct parcel *p, struct chain_inside *in);

/* A recipe with what is needed to plan its sections and to prove its features. */
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
/* Their steps of these phases. */
int chain_run_components(const struct chain_documents *l, unsigned phases,
                         const struct chain_inside *in, struct host *h,
                         struct err *e) ATTR_MUST_USE;

/* Logs to stderr, and so to the layer's log. */
void chain_log_inside(void);
/* The image we are in, where nothing is started. */
int chain_open_image(struct host **ret, struct err *e) ATTR_MUST_USE;
/* The layers joined, from outside the image. */
int chain_open_joined(const struct chain_inside *in, struct host **ret,
                      struct err *e) ATTR_MUST_USE;
/* A handle for fetching that has what was fetched for the step, and nothing else. */
struct cloud *chain_open_fetched(const struct chain_inside *in, struct arena *a);
