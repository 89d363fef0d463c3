/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe: what an image is made of. YAML (or JSON) text with a header `image:`, the sections that
 * clusters have too (kinds.h), and
 *
 *     include:     other recipes' texts, laid under this one (include.h)
 *     copy:        files of the building machine, put in before any section (copy.h)
 *     components:  AWS Image Builder component documents, run after the sections (component.h)
 *     tests:       programs that are run in the finished image (test.h)
 *
 * Sections about one node (hostname, mounts, munge, slurm) are refused: an image is many nodes'.
 */
#pragma once

#include "base/command.h"
#include "data/field.h"
#include "plan/plan.h"

#define RECIPE_FROM_MAX  8 /* recipes below recipes */
#define RECIPE_DISK_MIN  (512LL << 20)
#define RECIPE_DISK_MAX  (16LL << 40)
#define RECIPE_IMAGE_MIB (1ULL << 20)

enum recipe_boot { BOOT_UEFI_BIOS, BOOT_UEFI };

struct disk_spec {
	uint64_t size;          /* bytes, a multiple of 1 MiB */
	const char *filesystem; /* "ext4" */
	enum recipe_boot boot;
	const char *cmdline; /* of the kernel, without root= */
	const char *seed; /* digest the deterministic UUIDs derive from; NULL until it is built */
};

enum recipe_from {
	FROM_NOTHING,      /* no `from`: `provision` needs none */
	FROM_DISTRIBUTION, /* "debian:bookworm" */
	FROM_RECIPE,       /* the rest are files, by path as opened from here */
	FROM_TAR,
	FROM_DIRECTORY,
	FROM_RAW,
};

struct recipe {
	const char *name, *version;
	enum recipe_from from_type;
	const char *from; /* "debian:bookworm", or a path, absolute but of a recipe; NULL with
	                     FROM_NOTHING */
	const struct recipe *parent; /* FROM_RECIPE */
	const char *arch;            /* "x86_64" or "arm64" */
	struct disk_spec disk;
	struct field_strings features;               /* efa, lustre, nvidia */
	const struct doc *image;                     /* the header as it stands */
	const struct doc *sections;                  /* a map, for plan_build with kinds_all */
	const struct doc *copy, *components, *tests; /* lists, or NULL */
	const char *file;                            /* as the user named it */
	struct vars facts; /* name, version, arch, prefix, stage, and what --set gives */
};

/*
 * Reads the recipe, what it includes and the recipes it is made from, and checks all of it. `set`
 * ("NAME=VALUE", may be NULL) are facts that win over the built-in ones. Messages stand at
 * file:line:col of the file that is at fault.
 */
int recipe_load(const char *path, const struct command_list *set, struct arena *a,
                struct recipe *ret, struct err *e) ATTR_MUST_USE;

/* The plan of its own sections, without its parent's. */
int recipe_plan(const struct recipe *r, struct arena *a, struct plan *ret,
                struct err *e) ATTR_MUST_USE;

/* The recipe's own packages, sorted and each once. */
int recipe_packages(const struct recipe *r, struct arena *a, struct field_strings *ret,
                    struct err *e) ATTR_MUST_USE;

/* "distribution", "recipe", ... for messages. */
const char *recipe_from_name(enum recipe_from from);

/* What a file of this name is; a directory when its end says nothing. */
enum recipe_from recipe_from_suffix(const char *path);

/* The header's table, of a private struct: for the schema. */
extern const struct field recipe_image_fields[];
/* Sections an image can't have, with why; ends at name NULL. */
struct recipe_refused {
	const char *section, *why;
};
extern const struct recipe_refused recipe_refused[];
