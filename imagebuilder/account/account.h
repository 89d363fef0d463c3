/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that work on an AWS account, each in the file of its name. */
#pragma once

#include "command/image.h"
#include "recipe/recipe.h"

/* Of the table of verbs; `program` is the struct image. Each returns an exit status. */
int verb_publish(void *program);
int verb_resume(void *program); /* publish.c */
int verb_gc(void *program);
int verb_copy(void *program);
int verb_share(void *program);
int verb_deprecate(void *program);
int verb_deregister(void *program);
int verb_alias(void *program);

/* publish.c: what is in the file of --uefi-data, NULL without the option. ERR_INPUT for what EC2
 * wouldn't take. */
int image_uefi_data(const struct image *g, const char **ret, struct err *e) ATTR_MUST_USE;

/* publish.c: publishes a recipe's disk as an AMI, with the options of `publish`; returns an exit
 * status. */
int image_publish(struct image *g, const struct recipe *r, const char *raw);
