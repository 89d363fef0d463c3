/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base of rpm packages: `dnf --installroot`, with the recipe's packages in the same run and what
 * a system of that kind can't be without. From this machine's files /etc/yum.repos.d/NAME*.repo,
 * NAME being the distribution's (of RHEL "redhat"), as the distributions call their own.
 *
 * Signatures are checked unless such a file says gpgcheck=0, which is told; keys are those it
 * names. A repository that can't be reached ends it, and so does a script of a package that dnf
 * takes for an error; one that only fails after its package was installed is told, as rpm does.
 */
#pragma once

#include "recipe/recipe.h"

/* Whether the distribution is one of these. */
bool base_dnf_makes(const char *distribution);

/* The tool and the repositories are there; what decides the content, but for the packages, goes to
 * *key. */
int base_dnf_plan(const struct recipe *r, struct strbuf *key, struct err *e) ATTR_MUST_USE;

/* Tells of what is not checked. */
void base_dnf_warn(const struct recipe *r);

/* Within a sandbox without layers: makes the tree. What dnf says goes to `line`. */
int base_dnf_make(const struct recipe *r, const struct field_strings *packages, const char *tree,
                  uint64_t deadline, void (*line)(void *ctx, const char *line),
                  struct err *e) ATTR_MUST_USE;

/* Whether it is a line that tells of a package whose script failed, and nothing more came of it. */
bool base_dnf_complains(const char *line);
