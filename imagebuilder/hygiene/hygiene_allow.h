/* SPDX-License-Identifier: Apache-2.0 */
/* What the recipe wants to be in the image: what may stay, and what cleaning must not take. */
#pragma once

#include "data/field.h"

struct hygiene_rule;

/* One thing that may stay although a rule is against it. */
struct hygiene_allow {
	const char *rule;
	/* A pattern of fnmatch(3) for the path or for a directory above it; for "enabled-units" also
	 * for the unit's name. */
	const char *path;
	const char *reason; /* why, for those who look at the image */
	bool implied;       /* follows from another part of the recipe: it need not be used */
};

/* What the recipe wants to be in the image; the lists may be empty. */
struct hygiene_intent {
	size_t n;
	const struct hygiene_allow *allow;
	/* Absolute paths of the files it puts in, sorted by strcmp: cleaning takes none of them, but
	 * each that it would take is a finding. */
	struct field_strings declared;
};

/* The rule of an entry whose path is the name of a package: for its units, by the next function. */
#define HYGIENE_PACKAGE "package"

/* The intent with such entries replaced by "enabled-units" ones, for each unit that the package has,
 * by dpkg's or rpm's database in the tree that `root` is a descriptor of. */
struct hygiene_intent hygiene_intent_in(int root, const struct hygiene_intent *intent,
                                        struct arena *a);

/* The row of the intent that allows it, or NULL. */
const struct hygiene_allow *hygiene_allows(const struct hygiene_intent *intent,
                                           const struct hygiene_rule *rule, const char *path);
