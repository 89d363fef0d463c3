/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the verbs of hpc-imagebuild work on: made and closed by main(). */
#pragma once

#include "host/host.h"
#include "program/program.h"
#include "recipe/lock_files.h"
#include "recipe/recipe.h"
#include "verb/options.h"

struct image {
	struct program program; /* first */
	struct options opt;
	const char *term; /* TERM, for a shell; or NULL */
};

extern const struct reason_hint image_hints[];
extern const struct program_info image_program; /* verbs.c */

/* Verbs, each in the file of its name; `program` is the struct image. */
int verb_build(void *program);
int verb_cache(void *program);
int verb_check(void *program);
int verb_plan(void *program);
int verb_provision(void *program);
int verb_shell(void *program);
int verb_schema(void *program);
int verb_test(void *program);
int verb_lock(void *program);
int verb_verify(void *program);
int verb_diff(void *program);
int verb_publish(void *program);
int verb_resume(void *program); /* publish.c */
int verb_gc(void *program);
int verb_copy(void *program);
int verb_share(void *program);
int verb_deprecate(void *program);
int verb_deregister(void *program);
int verb_alias(void *program);

/* guard.c: runs it in a child, so that a signal from the terminal or a service manager ends the
 * work at once, and what it left unfinished in --store and --output is removed before the program
 * says so and ends with 128 and the signal. */
int image_guarded(struct image *g, int (*verb)(struct image *g));

/* lock.c: the lock beside the recipe, checked; NULL: there is none, or --unlocked. */
int image_lock(struct image *g, const char *path, const struct recipe *recipe,
               const struct lock **ret, struct err *e) ATTR_MUST_USE;

/* lock.c: a source that fetches through image_cloud(). */
struct lock_source image_source(struct image *g);

/* publish.c: publishes a recipe's disk as an AMI, with the options of `publish`; returns an exit
 * status. */
int image_publish(struct image *g, const struct recipe *r, const char *raw);

/* The cloud as set by options, environment and profile; the caller closes it. */
int image_cloud(struct image *g, struct cloud **ret, struct err *e) ATTR_MUST_USE;
