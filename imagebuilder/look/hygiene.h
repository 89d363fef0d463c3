/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be in an image: identities that every instance would share, secrets, and traces of
 * the machine it was built on. There is one named rule for each kind of thing: a row of the table
 * in hygiene_rules.c, which builds, `verify` and `provision --clean` all use. What is safe to
 * remove is cleaned; everything is searched for in one walk over the tree, and what is found fails
 * the build under the rule's name.
 *
 * A file that is byte for byte what its dpkg package shipped is not a leak: its content is public.
 *
 * First boot creates new identities: systemd the machine-id, the agent the SSH host keys.
 */
#pragma once

#include <stddef.h>

#include "host/host.h"

struct hygiene_rule {
	const char *name;    /* "ssh-host-keys" */
	const char *summary; /* why it must not be in the image */
	const char *remedy;  /* what to do about it; NULL: cleaning removes it */
};

/* The i-th rule, in the order of reports; NULL after the last. */
const struct hygiene_rule *hygiene_rule(size_t i);

/*
 * What the recipe includes on purpose, NULL-terminated or NULL: "RULE:PATTERN", a pattern of
 * fnmatch(3) for the path ("authorized-keys:/home/admin/.ssh/authorized_keys"), or for
 * "enabled-units" the unit's name.
 */
typedef const char *const *hygiene_allow;

/* Removes what the rules clean from the host: the root of an image, or a machine that will become
 * one. */
int hygiene_clean(struct host *image, hygiene_allow allow, struct err *e) ATTR_MUST_USE;

/* hygiene_clean; what remains is an error as in hygiene_verify. On the running machine, what
 * cleaning removes is not counted: it may already have come back. */
int hygiene_finish(struct host *image, hygiene_allow allow, struct err *e) ATTR_MUST_USE;

struct hygiene_finding {
	const struct hygiene_rule *rule;
	const char *path;   /* in the image */
	const char *detail; /* "at byte 1234", or NULL; never the secret itself */
	bool cleaned;       /* hygiene_clean removes it */
};

struct hygiene_findings {
	size_t n;
	struct hygiene_finding *items;
	bool more; /* there were more than HYGIENE_FINDINGS_MAX */
};
#define HYGIENE_FINDINGS_MAX 1000

/* Searches the whole tree, from a descriptor of its root; if nothing is found, n is 0. If a
 * directory that rules name is a link, the rules apply to its target in the tree, and findings show
 * that path. */
int hygiene_look(int root, hygiene_allow allow, struct arena *a, struct hygiene_findings *ret,
                 struct err *e) ATTR_MUST_USE;

/* A finding as text: "RULE: 'PATH' DETAIL: summary; remedy". */
const char *hygiene_words(const struct hygiene_finding *f, struct arena *a);

/* hygiene_look, but any finding is ERR_INPUT: the first as text, and how many more. */
int hygiene_verify(int root, hygiene_allow allow, struct err *e) ATTR_MUST_USE;
