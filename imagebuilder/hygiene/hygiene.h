/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be in an image: identities that every instance would share, secrets, and traces of
 * the machine it was built on. There is one named rule for each kind of thing: a row of the table
 * in hygiene_rules.c, which builds, `verify` and `provision --clean` all use. What is safe to
 * remove is cleaned; everything is searched for in one walk over the tree, and what is found fails
 * the build, all of it at once, under the rules' names.
 *
 * A file that is byte for byte what its package shipped, as the tree's own dpkg or rpm database says,
 * is not a leak: its content is public. Of an rpm database it takes this machine's rpm to know.
 *
 * First boot creates new identities: systemd the machine-id, units of the agent's
 * package the SSH host keys, DKMS's signing key and the self-signed certificate of ssl-cert.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "data/jsonw.h"
#include "host/host.h"
#include "hygiene/hygiene_allow.h"

struct hygiene_rule {
	const char *name;    /* "ssh-host-keys" */
	const char *summary; /* why it must not be in the image */
	const char *remedy;  /* what to do about it; NULL: cleaning removes it */
};

/* The i-th rule, in the order of reports; NULL after the last. */
const struct hygiene_rule *hygiene_rule(size_t i);

struct hygiene_finding {
	const struct hygiene_rule *rule;
	const char *path;                    /* in the image */
	const char *detail;                  /* "at byte 1234", or NULL; never the secret itself */
	const struct hygiene_allow *allowed; /* NULL: it may not stay */
	bool cleaned;                        /* cleaning removes it */
	bool declared;                       /* it would, but the recipe puts it in */
};

struct hygiene_findings {
	size_t n;
	struct hygiene_finding *items;
	bool more; /* there were more than HYGIENE_FINDINGS_MAX */
	size_t n_allowed;
	struct hygiene_finding *allowed; /* what is allowed and so may stay */
};
#define HYGIENE_FINDINGS_MAX 1000 /* of each list */

/* Searches the whole tree, from a descriptor of its root; if nothing is found, n is 0. If a
 * directory that rules name is a link, the rules apply to its target in the tree, and findings show
 * that path. `intent` may be NULL. */
int hygiene_look(int root, const struct hygiene_intent *intent, struct arena *a,
                 struct hygiene_findings *ret, struct err *e) ATTR_MUST_USE;

struct hygiene_report {
	/* What was removed: the path, or for things that come in numbers and under any name (logs,
	 * caches, temporary files) the rule's own pattern, once. */
	size_t n_cleaned;
	struct hygiene_finding *cleaned;
	struct hygiene_findings left;
};

/* Removes what the rules clean from the host: the root of an image, or a machine that will become
 * one. */
int hygiene_clean(struct host *image, const struct hygiene_intent *intent, struct arena *a,
                  struct hygiene_report *ret, struct err *e) ATTR_MUST_USE;

/* hygiene_clean, then searches for what is left, which is no error of this function: see
 * hygiene_refuse. On the running machine, what cleaning removes is not counted: it may already have
 * come back. */
int hygiene_finish(struct host *image, const struct hygiene_intent *intent, struct arena *a,
                   struct hygiene_report *ret, struct err *e) ATTR_MUST_USE;

/* Before there is a tree: the rule that a file of the recipe would break by its path alone, or NULL.
 * `type` is a mode's, S_IFREG for one; `content` NULL: not known, taken to be right. Cleaning takes
 * what breaks a rule without a remedy. */
struct hygiene_where; /* where the rules apply; lives as long as its arena */
struct hygiene_where *hygiene_places(struct arena *a);
const struct hygiene_rule *hygiene_takes(struct hygiene_where *places, const char *path,
                                         mode_t type, const char *content);
/* Whether the rule looks at this path. */
bool hygiene_applies(struct hygiene_where *places, const char *path, const char *rule);

/* ---- telling ---- */

/* A finding as text: "RULE: 'PATH' DETAIL: summary; remedy"; or, allowed: "RULE: 'PATH' is allowed:
 * REASON". */
const char *hygiene_words(const struct hygiene_finding *f, struct arena *a);

/* The rows that nothing found needs, without the implied ones; at most intent->n. */
size_t hygiene_unused(const struct hygiene_intent *intent, const struct hygiene_findings *f,
                      struct arena *a, const struct hygiene_allow ***ret);

/* ERR_INPUT if there is any finding: a single one as text, of more how many there are, for who has
 * told each of them. */
int hygiene_refuse(const struct hygiene_findings *f, struct err *e) ATTR_MUST_USE;

/*
 * As members of an object of JSON. For the manifest: "cleaned": [{rule, path}..] and "allowed":
 * [{rule, path, reason}..]. With `intent`, for those who tell of the build, also "unused": [{rule,
 * path}..] and "refused": [{rule, path, what}..].
 */
void hygiene_json(struct jsonw *w, const struct hygiene_report *r,
                  const struct hygiene_intent *intent, struct arena *a);
