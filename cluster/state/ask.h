/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions on standard output, answers from standard input, a terminal or a pipe, in the form of
 * ParallelCluster's: what there is to choose from, numbered, then "QUESTION [DEFAULT]: ". An empty
 * answer is the default. What isn't acceptable is said, and asked again; answers that end are an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define ASK_COLUMNS    4
#define ASK_ANSWER_MAX 1024 /* bytes of one line */

struct ask_item {
	const char *cells[ASK_COLUMNS]; /* the first one is what is chosen */
};

struct ask_list {
	const char *headers[ASK_COLUMNS]; /* NULL at the first: a plain list; right: numbers */
	bool numbers[ASK_COLUMNS];        /* columns that are aligned to the right */
	size_t n;
	struct ask_item *items;
};

struct ask {
	struct arena *arena;
	bool ended; /* private */
};

struct ask_question {
	const char *text;     /* "VPC ID" */
	const char *fallback; /* the default; NULL: there is none */
	const struct ask_list
	        *among; /* only these, by name or number; NULL: whatever `valid` takes */
	/* NULL, or what is wrong with an answer. */
	const char *(*valid)(void *ctx, const char *answer);
	void *ctx;
};

int ask(struct ask *k, const struct ask_question *q, const char **ret, struct err *e) ATTR_MUST_USE;

/* The same for a number from `min` to `max`. */
int ask_number(struct ask *k, const char *text, uint64_t fallback, uint64_t min, uint64_t max,
               uint64_t *ret, struct err *e) ATTR_MUST_USE;
/* And for y or n. */
int ask_yes(struct ask *k, const char *text, bool fallback, bool *ret, struct err *e) ATTR_MUST_USE;
