/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a recipe counts only for some images, parts of it and single entries of its lists:
 *
 *     when:
 *     - match: {distribution: [debian:trixie, ubuntu], arch: arm64}
 *       packages: [linux-image-cloud-arm64]
 *     packages: [curl, {name: libaio1t64, match: {distribution: debian:trixie}}]
 *     files: [{path: /etc/x, content: x, match: {arch: arm64}}]
 *
 * `distribution` has names as of image.from, with their releases or without; `arch` those of
 * image.arch. One of the names must be the image's, of each key that is given. The rest of a part is
 * a recipe without `image` and `when`, `include` too, and lies over the text it is written in, in
 * the order of the list.
 *
 * Entries are those of `include`, of each section that is a list, and of the lists in a section that
 * is a map, such as packages.files; an entry that is a word is then a map with `name`.
 */
#pragma once

#include "data/faults.h"
#include "data/field.h"

#define WHEN_PARTS_MAX 256 /* of one text */

/* A part or an entry that was left out. */
struct when_left {
	const struct doc *part; /* with `match` */
	const struct doc *rest; /* without it and `include`: its sections */
	const char *what;       /* "packages, tests"; of an entry "packages: libaio1t64" */
	const char *why;        /* "it is for debian:trixie, and the image is debian:bookworm" */
};

struct when {
	const char *distribution; /* of the image, "debian:bookworm"; NULL: nobody says */
	const char *arch;         /* "x86_64" or "arm64" */
	struct faults *faults;    /* faults.h; or NULL */
	size_t n;
	struct when_left *left; /* of all texts, in their order */
};

/* The text without `when` and `match`, with its parts for this image laid over it. ERR_INPUT at its place for
 * unknown names and keys, and for a distribution where the image's is not known. */
int when_apply(struct when *w, struct doc *text, struct arena *a, struct doc **ret,
               struct err *e) ATTR_MUST_USE;

/* The text as it is where the image is not known: without the entries that have `match`. */
void when_forget(struct doc *text, struct arena *a, struct doc **ret);

/* The table of `match`, of a private struct: for the schema. */
extern const struct field when_match_fields[];
