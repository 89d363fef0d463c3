/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the verbs of hpc-imagebuild work on: made and closed by main(). */
#pragma once

#include "command/options.h"
#include "program/program.h"

struct image {
	struct program program; /* first */
	struct options opt;
	const char *term; /* TERM, for a shell; or NULL */
	char tmp[40];     /* image_tmp() */
};

/* hints.c: what to look at when a reason is met, for who sits at a workstation or build machine. */
extern const struct reason_hint image_hints[];

/* guard.c: runs it in a child, so that a signal from the terminal or a service manager ends the
 * work at once, and what it left unfinished in --store and --output is removed before the program
 * says so and ends with 128 and the signal. */
int image_guarded(struct image *g, int (*verb)(struct image *g));

/* guard.c: a directory in /tmp for what is needed only while the verb works: image_guarded() removes it,
 * however the verb ends. Called before that. */
int image_tmp(struct image *g, struct err *e) ATTR_MUST_USE;

/* cloud.c: the cloud as set by options, environment and profile; the caller closes it. */
int image_cloud(struct image *g, struct cloud **ret, struct err *e) ATTR_MUST_USE;
