/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow: what may be in the image although a rule of hygiene is against it.
 *
 *     allow:
 *       - {rule: private-keys, path: /opt/solver/tests, reason: keys of its self-tests}
 *       - {rule: enabled-units, path: exporter.service, reason: monitoring runs on every node}
 *
 * `path` is absolute, a pattern of fnmatch(3) of the path or of a directory above it; for
 * enabled-units it may be the unit's name. Whether there is such a rule is checked by who knows the
 * rules (build/intent.h).
 */
#pragma once

#include "data/field.h"

#define ALLOW_MAX 256 /* entries */

struct allow {
	const char *rule, *path, *reason;
	const struct doc *at;
};

struct allow_list {
	size_t n;
	struct allow *items;
};

/* `list` may be NULL. */
int allow_read(const struct doc *list, const struct vars *facts, struct arena *a,
               struct allow_list *ret, struct err *e) ATTR_MUST_USE;

extern const struct field allow_fields[];
