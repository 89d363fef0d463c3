/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the last build of a recipe was made of: STORE/recipes/DIGEST, of the recipe's path. It
 * decides nothing. `plan` says by it which input of a step has changed, `shell --failed` finds by
 * it the step that failed, and a build how much space the last one took.
 */
#pragma once

#include "data/field.h"
#include "recipe/input.h"
#include "store/store.h"

struct record_step {
	const char *name, *key, *below; /* keys are those of layers; below: "" of the lowest */
	struct input_list inputs;
};

struct record {
	const char *abi, *arch; /* NULL: there is no record */
	size_t n;
	struct record_step *steps;
	/* Of the build that failed last, until one succeeds; NULL and empty when none did. */
	const char *failed, *failed_key;
	bool failed_network;
	struct field_strings failed_below; /* keys of the layers it ran over, lowest first */
};

/* An empty record where there is none; -EACCES, and an empty one, where it isn't ours to see. */
int record_read(const struct store *s, const char *recipe, struct arena *a, struct record *ret);
/* The step of that name, the nth from 0 where names repeat; or NULL. */
const struct record_step *record_find(const struct record *r, const char *name, size_t nth);
/* Removes those of recipes that are no longer there. */
void record_prune(const struct store *s);
/* Writes nothing where it would be the same. */
int record_write(const struct store *s, const char *recipe, const struct record *r,
                 struct err *e) ATTR_MUST_USE;
