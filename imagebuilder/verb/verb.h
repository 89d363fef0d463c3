/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that work on this machine, each in the file of its name, and what they share. */
#pragma once

#include "command/image.h"
#include "lock/lock_files.h"
#include "recipe/recipe.h"

extern const struct program_info image_program; /* verbs.c */

/* Of the table of verbs; `program` is the struct image. Each returns an exit status. */
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

/* lock.c: the lock beside the recipe, checked; NULL: there is none, or --unlocked. */
int image_lock(struct image *g, const char *path, const struct recipe *recipe,
               const struct lock **ret, struct err *e) ATTR_MUST_USE;

/* lock.c: a source that fetches through image_cloud(). */
struct lock_source image_source(struct image *g);
