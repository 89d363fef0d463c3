/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slurm's short form for many nodes: "q-dy-a-[1-3,007],q-st-b-1". slurm.conf(5), NodeName; one
 * pair of brackets a name, at its end, which is all that the names of a cluster of ours have.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define HOSTLIST_MAX  65536 /* names; Slurm's own ceiling of nodes */
#define HOSTLIST_NAME 63    /* bytes of a name, which is also a host's: RFC 1123 */
#define HOSTLIST_TEXT (1UL << 20)

struct hostlist {
	size_t n;
	const char **names; /* in the order of the text */
};

/* ERR_INPUT, with what was expected; there is no empty list. The names live in `a`. */
int hostlist_parse(const char *text, struct arena *a, struct hostlist *ret,
                   struct err *e) ATTR_MUST_USE;

bool hostlist_has(const struct hostlist *list, const char *name);

/* The short form of those names in their order: numbers that follow each other become one range. */
const char *hostlist_print(const char *const *names, size_t n, struct arena *a);
