/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be in an image: identities that every instance would share, secrets, and traces of
 * the machine it was built on. One named rule a kind of thing: a row of the table in
 * hygiene_rules.c, which builds, `verify` and `provision --clean` go by alike. What is safe to
 * remove is cleaned; all of it is looked for in one walk over the tree, and what is found fails the
 * build under the rule's name.
 *
 * A file that is byte for byte what its dpkg package shipped is no leak: its content is public.
 *
 * First boot makes the identities anew: systemd the machine-id, the agent the SSH host keys.
 */
#pragma once

#include <stddef.h>

#include "host/host.h"

struct hygiene_rule {
	const char *name;    /* "ssh-host-keys" */
	const char *summary; /* why it must not be there */
	const char *remedy;  /* what to do about it; NULL: cleaning removes it */
};

/* The rules, in the order they are told; NULL after the last. */
const struct hygiene_rule *hygiene_rule(size_t i);

/*
 * What the recipe means to have, NULL-terminated or NULL: "RULE:PATTERN", a pattern of fnmatch(3)
 * for the path ("authorized-keys:/home/admin/.ssh/authorized_keys"), or for "enabled-units" the
 * unit's name.
 */
typedef const char *const *hygiene_allow;

/* Removes what rules clean from the host: the root of an image, or a machine that will be one. */
int hygiene_clean(struct host *image, hygiene_allow allow, struct err *e) ATTR_MUST_USE;

/* hygiene_clean, and what is left is an error as hygiene_verify has it. Of the running machine what
 * cleaning removes counts for nothing: it may be there again. */
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

/* Looks at the whole tree, from a descriptor of its root; nothing found is n == 0. Where a
 * directory that rules name is a link they hold for what it leads to in the tree, and that is the
 * path told. */
int hygiene_look(int root, hygiene_allow allow, struct arena *a, struct hygiene_findings *ret,
                 struct err *e) ATTR_MUST_USE;

/* A finding in words: "RULE: 'PATH' DETAIL: summary; remedy". */
const char *hygiene_words(const struct hygiene_finding *f, struct arena *a);

/* hygiene_look that makes any finding ERR_INPUT: the first in words, and how many more. */
int hygiene_verify(int root, hygiene_allow allow, struct err *e) ATTR_MUST_USE;
