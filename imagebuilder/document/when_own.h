/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the when*.c files. */
#pragma once

#include "document/when.h"

/* when_match.c: *ret_why: why `match` doesn't hold for the image; NULL if it does. */
int when_judge(const struct when *w, const struct doc *match, struct arena *a, const char **ret_why,
               struct err *e) ATTR_MUST_USE;

void when_leave_out(struct when *w, const struct when_left *one, struct arena *a);

/* The map without that key. */
struct doc *when_without(const struct doc *map, const char *key, struct arena *a);

/* when_entry.c */
enum when_entries {
	WHEN_CHOOSE, /* those for the image stay, without `match`; the others are left out */
	WHEN_KEEP,   /* all stay, without `match`, once it was judged */
	WHEN_DROP,   /* those with `match` go, and nothing is judged */
};
/* What becomes of the entries with `match` of a map of sections. */
int when_entries(struct when *w, struct doc *text, enum when_entries how, struct arena *a,
                 struct doc **ret, struct err *e) ATTR_MUST_USE;
