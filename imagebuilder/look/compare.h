/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two images differ: their disks outside of the root file systems, their packages, their files.
 * Times are not compared: they differ between any two builds of the same recipe. Hard links are not
 * distinguished from copies.
 */
#pragma once

#include "look/inspect.h"

enum compare_state { COMPARE_ADDED, COMPARE_REMOVED, COMPARE_CHANGED };

/* For what both images have: a property that differs, and its values. */
struct compare_change {
	/* "content", "mode", "owner", "type", "version", ...; content is shown as its size and the
	 * beginning of its SHA-256: "5 bytes sha256:5994471abb01112a" */
	const char *what;
	const char *from, *to;
};

#define COMPARE_CHANGES 8

struct compare_difference {
	const char *of; /* "disk", "package", "file" */
	enum compare_state state;
	const char *name; /* for a file its path; not escaped */
	size_t n;
	/* For what only one image has: a package's version, a file's content. */
	struct compare_change changes[COMPARE_CHANGES];
};

struct compare {
	const struct inspect *a, *b;
	void (*tell)(void *ctx, const struct compare_difference *d);
	void *ctx;
	size_t n;            /* differences reported */
	struct arena *arena; /* for one difference */
};

int compare_disks(struct compare *c, struct err *e) ATTR_MUST_USE;
int compare_packages(struct compare *c, struct err *e) ATTR_MUST_USE;
int compare_files(struct compare *c, struct err *e) ATTR_MUST_USE;
