/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recipe: what an image is made of. YAML (or JSON) text with a header `image:`, the sections that
 * clusters have too (kinds.h), and
 *
 *     include:     other recipes' texts, laid under this one (include.h)
 *     copy:        files of the build machine, put in before any section (copy.h)
 *     components:  AWS Image Builder component documents, run after the sections (component.h)
 *     tests:       programs that are run in the finished image (test.h)
 *     allow:       what may be in it although a rule of hygiene is against it (allow.h)
 *     when:        parts of a recipe, and entries of its lists, that are for some distributions or
 *                  architectures (when.h)
 *
 * Sections about one node (hostname, mounts, munge, slurm) are refused: an image is shared by many
 * nodes.
 */
#pragma once

#include "base/command.h"
#include "data/field.h"
#include "document/when.h"
#include "plan/plan.h"

#define RECIPE_FROM_MAX  8 /* longest chain of recipes */
#define RECIPE_DISK_MIN  (512LL << 20)
#define RECIPE_DISK_MAX  (16LL << 40)
#define RECIPE_IMAGE_MIB (1ULL << 20)

enum recipe_boot {
	BOOT_UEFI_BIOS,
	BOOT_UEFI,
	BOOT_UEFI_SECURE, /* by Debian's signed shim and GRUB, of the image's own packages */
};

struct disk_spec {
	uint64_t size;          /* bytes, a multiple of 1 MiB */
	const char *filesystem; /* "ext4" */
	enum recipe_boot boot;
	const char *cmdline; /* of the kernel, without root= */
	const char *seed;    /* seed of the deterministic UUIDs; NULL until it is built */
};

enum recipe_from {
	FROM_NOTHING,      /* no `from`: `provision` needs none */
	FROM_DISTRIBUTION, /* "debian:bookworm" */
	FROM_RECIPE,       /* a recipe and the following are files, by the path to open */
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
	const char
	        *distribution; /* "debian:bookworm", that of its parents too; NULL: nobody says */
	struct disk_spec disk;
	struct field_strings features; /* efa, lustre, nvidia */
	struct field_strings sources;  /* lines of sources.list(5); none: this machine's */
	const struct doc *image;       /* the header as written */
	const struct doc *sections;    /* a map, for plan_build with kinds_all */
	const struct doc *copy, *components, *tests, *allow; /* lists, or NULL */
	size_t n_left;
	const struct when_left
	        *left;     /* parts of `when` that are not for it, without its parent's */
	const char *file;  /* as the user named it */
	struct vars facts; /* name, version, arch, prefix, stage, and what --set gives */
};

/*
 * Reads and checks the recipe, what it includes and its parent recipes. `set` ("NAME=VALUE", may be
 * NULL) are facts that override the built-in ones. Messages begin with file:line:col of the faulty
 * file.
 */
int recipe_load(const char *path, const struct command_list *set, struct arena *a,
                struct recipe *ret, struct err *e) ATTR_MUST_USE;

/* The same, but looks for every fault (faults.h). */
int recipe_load_all(const char *path, const struct command_list *set, struct faults *faults,
                    struct arena *a, struct recipe *ret, struct err *e) ATTR_MUST_USE;

/* The plan of its own sections, without its parent's. */
int recipe_plan(const struct recipe *r, struct arena *a, struct plan *ret,
                struct err *e) ATTR_MUST_USE;

/* The recipe's own packages, sorted, without duplicates. */
int recipe_packages(const struct recipe *r, struct arena *a, struct field_strings *ret,
                    struct err *e) ATTR_MUST_USE;

/* "distribution", "recipe", ... for messages. */
const char *recipe_from_name(enum recipe_from from);

/* The type of a file by its suffix; a directory if the suffix says nothing. */
enum recipe_from recipe_from_suffix(const char *path);
/* Of what image.from says. */
enum recipe_from recipe_from_of(const char *from);

/* The header's table of fields, of a private struct: for the schema. */
extern const struct field recipe_image_fields[];
/* Sections an image can't have, with the reason; ends with a row whose name is NULL. */
struct recipe_refused {
	const char *section, *why;
};
extern const struct recipe_refused recipe_refused[];
