/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step's key is made of, under readable names ("package slurmd", "'content'", "file
 * /etc/motd"), so that two keys can be compared. Values are only kept as digests: a list of inputs
 * is written to the store, and must not contain a secret of the recipe.
 */
#pragma once

#include "data/doc.h"
#include "data/vars.h"

#define INPUT_DIGEST 17 /* hex of the first 64 bits: used to explain, the key decides */

struct input {
	const char *name;
	char digest[INPUT_DIGEST];
	const struct doc *at; /* where the text has it, or NULL */
};

struct input_list {
	size_t n;
	struct input *items;
};

void input_add(struct input_list *l, struct arena *a, const char *name, const void *data,
               size_t len, const struct doc *at);

/* Adds each line: named by the part before the digest if the last word is one ("tar 01ab.."), else
 * by the whole line. */
void input_add_lines(struct input_list *l, struct arena *a, const char *text);

/* For a map: each key. For a list: each element, named by its text or its index. */
void input_add_doc(struct input_list *l, struct arena *a, const struct doc *d,
                   const struct vars *facts);

enum input_change { INPUT_CHANGED, INPUT_ADDED, INPUT_REMOVED };
/* Called for each name that differs, in order; `i` is an index in `now`, or in `was` if it is
 * removed. */
void input_compare(const struct input_list *was, const struct input_list *now,
                   void (*differs)(void *ctx, enum input_change change, const struct input *i),
                   void *ctx);
