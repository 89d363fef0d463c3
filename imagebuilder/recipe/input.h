/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step's key is made of, by names a person knows ("package slurmd", "'content'", "file
 * /etc/motd"), so that two of them can be compared. Values are only kept as digests: a list of
 * inputs is written to the store, and says no secret that a recipe may have.
 */
#pragma once

#include "data/doc.h"
#include "data/vars.h"

#define INPUT_DIGEST 17 /* hex of the first 64 bits: it explains, the key decides */

struct input {
	const char *name;
	char digest[INPUT_DIGEST];
	const struct doc *at; /* where a text says it, or NULL */
};

struct input_list {
	size_t n;
	struct input *items;
};

void input_add(struct input_list *l, struct arena *a, const char *name, const void *data,
               size_t len, const struct doc *at);

/* Each line: by what is before it where the last word is a digest ("tar 01ab.."), else as a whole.
 */
void input_add_lines(struct input_list *l, struct arena *a, const char *text);

/* A map: each key. A list: each element, by its text, or its number. */
void input_add_doc(struct input_list *l, struct arena *a, const struct doc *d,
                   const struct vars *facts);

enum input_change { INPUT_CHANGED, INPUT_ADDED, INPUT_REMOVED };
/* For each name that isn't the same in both, in their order; `i` is of `now`, of `was` when it is
 * removed. */
void input_compare(const struct input_list *was, const struct input_list *now,
                   void (*differs)(void *ctx, enum input_change change, const struct input *i),
                   void *ctx);
