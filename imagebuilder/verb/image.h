/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb of hpc-imagebuild works with: made and given back by main(). */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "cloud/cloud.h"
#include "host/host.h"
#include "recipe/lock.h"
#include "recipe/profile.h"
#include "recipe/recipe.h"
#include "verb/options.h"

struct image {
	struct options opt;
	struct cloud_config cloud_config; /* from the environment */
	struct profile_source profile;    /* from the environment */
	struct arena *arena;
	const char *term;  /* TERM, for a shell; or NULL */
	uint64_t start;    /* clock.h */
	uint64_t deadline; /* of image_cloud()'s verbs, clock.h */
};

/* Logs the error's text and its reason's hint, and returns the exit status of its kind. */
int image_fail(const struct err *e);

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
int verb_version(void *program);
int verb_verify(void *program);
int verb_diff(void *program);
int verb_publish(void *program); /* publish.c, as resume */
int verb_resume(void *program);
int verb_gc(void *program);
int verb_copy(void *program); /* ami.c, as what follows */
int verb_share(void *program);
int verb_deprecate(void *program);
int verb_deregister(void *program);
int verb_alias(void *program);

/* lock.c: the lock that stands beside the recipe, checked; NULL: none, or --unlocked. */
int image_lock(struct image *g, const char *path, const struct recipe *r, const struct lock **ret,
               struct err *e) ATTR_MUST_USE;

/* lock.c: fetching by image_cloud(). */
struct lock_source image_source(struct image *g);

/* publish.c: the AMI of a recipe's disk, as the options of publish have it; an exit status. */
int image_publish(struct image *g, const struct recipe *r, const char *raw);

/* The cloud as options, environment and profile have it; the caller closes it. */
int image_cloud(struct image *g, struct cloud **ret, struct err *e) ATTR_MUST_USE;
