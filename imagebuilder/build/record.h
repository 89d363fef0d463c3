/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the last build of a recipe was made of: STORE/recipes/DIGEST, where DIGEST is of the
 * recipe's path. It has no influence on builds: `plan` uses it to say which input of a step has
 * changed, `shell --failed` to find the step that failed, and a build to know how much space the
 * last one took.
 */
#pragma once

#include "data/field.h"
#include "recipe/input.h"
#include "store/store.h"

struct record_step {
	const char *name, *key, *below; /* keys are those of layers; below: "" for the lowest */
	struct input_list inputs;
};

struct record {
	const char *abi, *arch; /* NULL: there is no record */
	size_t n;
	struct record_step *steps;
	/* Of the last failed build, until one succeeds; NULL and empty if none failed. */
	const char *failed, *failed_key;
	bool failed_network;
	struct field_strings failed_below; /* keys of the layers it ran over, lowest first */
};

/* Gives an empty record if there is none; -EACCES, and an empty one, if we may not read it. */
int record_read(const struct store *s, const char *recipe, struct arena *a, struct record *ret);
/* The nth (from 0) step of that name, as names may repeat; or NULL. */
const struct record_step *record_find(const struct record *r, const char *name, size_t nth);
/* Removes the records of recipes that no longer exist. */
void record_prune(const struct store *s);
/* Writes nothing if it would be unchanged. */
int record_write(const struct store *s, const char *recipe, const struct record *r,
                 struct err *e) ATTR_MUST_USE;
