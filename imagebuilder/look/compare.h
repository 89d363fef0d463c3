/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two images differ: their disks outside of the root file systems, their packages, their files.
 * Times are not compared: they differ between any two buildings of the same. Nor are names of one
 * file told apart from copies of it.
 */
#pragma once

#include "look/inspect.h"

enum compare_state { COMPARE_ADDED, COMPARE_REMOVED, COMPARE_CHANGED };

/* Of what is in both: what is not the same, and how it is in each. */
struct compare_change {
	const char *what; /* "content", "mode", "owner", "type", "version", ... */
	const char *from, *to;
};

#define COMPARE_CHANGES 8

struct compare_difference {
	const char *of; /* "disk", "package", "file" */
	enum compare_state state;
	const char *name; /* of a file its path; not escaped */
	size_t n;
	struct compare_change
	        changes[COMPARE_CHANGES]; /* of a package that isn't in both: its version */
};

struct compare {
	const struct inspect *a, *b;
	void (*tell)(void *ctx, const struct compare_difference *d);
	void *ctx;
	size_t n;            /* differences told */
	struct arena *arena; /* of one difference */
};

int compare_disks(struct compare *c, struct err *e) ATTR_MUST_USE;
int compare_packages(struct compare *c, struct err *e) ATTR_MUST_USE;
int compare_files(struct compare *c, struct err *e) ATTR_MUST_USE;

/* Tells it, when it is one. */
void compare_tell(struct compare *c, const struct compare_difference *d);
void compare_add(struct compare_difference *d, const char *what, const char *from, const char *to);
