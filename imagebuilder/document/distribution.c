/* SPDX-License-Identifier: Apache-2.0 */
/* The table of distributions, and how recipes name them. */
#include "document/distribution.h"

#include <stdio.h>

/* Under their usual names. */
static const char *const distributions[] = {
        "debian:bookworm",  "debian:trixie", "debian:sid",  "ubuntu:jammy", "ubuntu:noble",
        "amazonlinux:2023", "rocky:9",       "almalinux:9", "rhel:9",       "fedora:41",
};

/* Of what is known with its release; or of the names alone, where that was asked for without one. */
static const char *nearest(const char *name, bool bare, char (*names)[32])
{
	const char *known[ARRAY_LEN(distributions)];

	for (size_t i = 0; i < ARRAY_LEN(distributions); i++) {
		snprintf(names[i], sizeof names[i], "%.*s", (int)strcspn(distributions[i], ":"),
		         distributions[i]);
		known[i] = bare ? names[i] : distributions[i];
	}
	return str_nearest(name, known, ARRAY_LEN(known));
}

static int unknown(const struct doc *at, const char *name, bool bare, struct err *e)
{
	char names[ARRAY_LEN(distributions)][32];
	const char *near = nearest(name, bare, names);

	if (near)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "unknown distribution '%s', did you mean '%s'?", name, near);
	return doc_err(
	        at, e, REASON_INPUT_RANGE,
	        "unknown distribution '%s', expected one of debian:bookworm, debian:trixie, "
	        "debian:sid, ubuntu:jammy, ubuntu:noble, amazonlinux:2023, rocky:9, almalinux:9, rhel:9, "
	        "fedora:41",
	        name);
}

int distribution_find(const struct doc *at, const char *name, const char **ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(distributions); i++)
		if (str_eq(distributions[i], name)) {
			*ret = distributions[i];
			return 0;
		}
	return unknown(at, name, false, e);
}

bool distribution_is(const char *distribution, const char *name)
{
	size_t len = strcspn(distribution, ":");

	return str_eq(distribution, name) ||
	       (strlen(name) == len && memcmp(distribution, name, len) == 0);
}

int distribution_check_name(const struct doc *at, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(distributions); i++)
		if (distribution_is(distributions[i], name))
			return 0;
	return unknown(at, name, !strchr(name, ':'), e);
}
