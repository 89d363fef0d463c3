/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe/recipe.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kinds/kinds.h"
#include "recipe/component.h"
#include "recipe/copy.h"
#include "recipe/feature.h"
#include "recipe/include.h"
#include "recipe/tests.h"

#define CMDLINE_DEFAULT "console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295"
#define CMDLINE_MAX     1024 /* x86 takes 2047 with root= and the loader's own */
#define FEATURES_MAX    8
#define NAME_MAX_LEN    64 /* an AMI's name has 128, and a version and an architecture follow */

/* ---- the header ---- */

struct header {
	const char *name, *version, *from, *cmdline;
	int arch, filesystem, boot;
	uint64_t size;
	struct field_strings features;
};

enum { ARCH_X86_64, ARCH_ARM64 };
#define UNSET (-1)
static const char *const archs[] = {"x86_64", "arm64", NULL};
static const char *const filesystems[] = {"ext4", NULL};
static const char *const boots[] = {"uefi+bios", "uefi", NULL};

static const struct field disk_fields[] = {
        {"size", FIELD_SIZE, FIELD_AT(struct header, size), .min = RECIPE_DISK_MIN,
         .max = RECIPE_DISK_MAX,
         .help = "of the disk (default: 4G); the root file system grows to a larger one"},
        {"filesystem", FIELD_CHOICE, FIELD_AT(struct header, filesystem), .choices = filesystems,
         .help = "of the root (default: ext4)"},
        {"boot", FIELD_CHOICE, FIELD_AT(struct header, boot), .choices = boots,
         .help = "by what firmware it starts (default: uefi+bios, on arm64 uefi)"},
        {0},
};

const struct field recipe_image_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct header, name), .required = true, .min = 1,
         .max = NAME_MAX_LEN, .help = "what the image is called: lower-case letters, digits, ._-"},
        {"version", FIELD_STRING, FIELD_AT(struct header, version),
         .help = "three numbers, as 1.4.0 (default: 1.0.0)"},
        {"from", FIELD_STRING, FIELD_AT(struct header, from), .min = 1, .max = PATH_MAX - 1,
         .help = "a distribution (debian:bookworm), a recipe, a tar, a raw disk or a directory"},
        {"arch", FIELD_CHOICE, FIELD_AT(struct header, arch), .choices = archs,
         .help = "of the processors it is for (default: x86_64)"},
        {"disk", FIELD_MAP, 0, .sub = disk_fields, .help = "the disk it is on"},
        {"cmdline", FIELD_STRING, FIELD_AT(struct header, cmdline), .max = CMDLINE_MAX,
         .help = "the kernel's command line, without root="},
        {"features", FIELD_STRINGS, FIELD_AT(struct header, features), .max = FEATURES_MAX,
         .help = "what its kernel and packages must carry: efa, lustre, nvidia"},
        {0},
};

static const struct header header_defaults = {
        .version = "1.0.0",
        .boot = UNSET,
        .size = 4ULL << 30,
        .cmdline = CMDLINE_DEFAULT,
};

/* What images are made of from scratch, by the names the field uses. */
static const char *const distributions[] = {
        "debian:bookworm", "debian:trixie", "ubuntu:jammy", "ubuntu:noble", "amazonlinux:2023",
        "rocky:9",         "almalinux:9",   "rhel:9",       "fedora:41",
};

const struct recipe_refused recipe_refused[] = {
        {"hostname", "a name is one node's"},
        {"mounts", "what a node mounts is its cluster's to say"},
        {"munge", "a key in an image is a key in the hands of all who can start it"},
        {"slurm", "which cluster a node joins is told when it boots"},
        {0},
};

static const char *const own_keys[] = {"image", "copy", "components", "tests", "include", NULL};

static const struct doc *place(const struct doc *map, const char *key)
{
	const struct doc *d = doc_find(map, key);

	return d ? d : map;
}

/* ---- its single values ---- */

static int check_name(const struct doc *image, const char *name, struct err *e)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	if (strspn(name, first) && !name[strspn(name, more)])
		return 0;
	return doc_err(place(image, "name"), e, REASON_INPUT_RANGE,
	               "'%s' is no name of an image: expected lower-case letters, digits, '.', '_' "
	               "and '-', a letter or digit first",
	               name);
}

static int check_version(const struct doc *image, const char *version, struct err *e)
{
	const char *p = version;
	int numbers = 0;

	for (; numbers < 3; numbers++) {
		size_t digits = strspn(p, "0123456789");

		if (!digits || digits > 9 || (digits > 1 && *p == '0'))
			break;
		p += digits;
		if (numbers < 2 && *p++ != '.')
			break;
	}
	if (numbers == 3 && !*p)
		return 0;
	return doc_err(place(image, "version"), e, REASON_INPUT_RANGE,
	               "'%s' is no version: expected three numbers, as 1.4.0 (in quotes, if need "
	               "be)",
	               version);
}

static int check_cmdline(const struct doc *image, const char *cmdline, struct err *e)
{
	for (const char *p = cmdline; *p; p++)
		if (*p < ' ' || *p > '~')
			return doc_err(place(image, "cmdline"), e, REASON_INPUT_RANGE,
			               "a kernel's command line is one line of plain ASCII");
	for (const char *p = cmdline; p; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (str_starts(p, "root="))
			return doc_err(place(image, "cmdline"), e, REASON_INPUT_RANGE,
			               "'root=' is put in by the builder, which knows the UUID");
	}
	return 0;
}

static int check_features(const struct doc *image, const struct field_strings *list, struct err *e)
{
	const struct doc *at = doc_get(image, "features");

	for (size_t i = 0; i < list->n; i++) {
		bool known = false;

		size_t n = 0;

		for (; feature_names[n]; n++)
			known = known || str_eq(feature_names[n], list->items[i]);
		if (known)
			continue;
		const char *near = str_nearest(list->items[i], feature_names, n);
		return doc_err(at->type == DOC_LIST ? at->items[i] : at, e, REASON_INPUT_RANGE,
		               near ? "unknown feature '%s', did you mean '%s'?"
		                    : "unknown feature '%s', expected efa, lustre or nvidia%s",
		               list->items[i], near ? near : "");
	}
	return 0;
}

static int check_disk(const struct doc *image, struct header *h, struct err *e)
{
	if (h->size % RECIPE_IMAGE_MIB)
		return doc_err(place(image, "disk.size"), e, REASON_INPUT_RANGE,
		               "a disk is whole MiB, and %" PRIu64 " bytes are not", h->size);
	if (h->boot == UNSET)
		h->boot = h->arch == ARCH_ARM64 ? BOOT_UEFI : BOOT_UEFI_BIOS;
	if (h->arch == ARCH_ARM64 && h->boot == BOOT_UEFI_BIOS)
		return doc_err(place(image, "disk.boot"), e, REASON_INPUT_RANGE,
		               "arm64 machines have no BIOS, expected boot: uefi");
	return 0;
}

/* ---- from ---- */

const char *recipe_from_name(enum recipe_from from)
{
	static const char *const names[] = {
	        [FROM_NOTHING] = "nothing",     [FROM_DISTRIBUTION] = "distribution",
	        [FROM_RECIPE] = "recipe",       [FROM_TAR] = "tar",
	        [FROM_DIRECTORY] = "directory", [FROM_RAW] = "raw disk",
	};

	return names[from];
}

enum recipe_from recipe_from_suffix(const char *from)
{
	static const struct {
		const char *suffix;
		enum recipe_from type;
	} suffixes[] = {
	        {".yaml", FROM_RECIPE}, {".yml", FROM_RECIPE}, {".json", FROM_RECIPE},
	        {".tar", FROM_TAR},     {".tar.gz", FROM_TAR}, {".tgz", FROM_TAR},
	        {".tar.zst", FROM_TAR}, {".tar.xz", FROM_TAR}, {".raw", FROM_RAW},
	        {".img", FROM_RAW},
	};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(from, suffixes[i].suffix))
			return suffixes[i].type;
	return FROM_DIRECTORY;
}

static int from_distribution(const struct doc *at, struct recipe *r, const char *from,
                             struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(distributions); i++)
		if (str_eq(distributions[i], from)) {
			r->from_type = FROM_DISTRIBUTION;
			r->from = distributions[i];
			return 0;
		}
	const char *near = str_nearest(from, distributions, ARRAY_LEN(distributions));
	if (near)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "unknown distribution '%s', did you mean '%s'?", from, near);
	return doc_err(
	        at, e, REASON_INPUT_RANGE,
	        "unknown distribution '%s', expected one of debian:bookworm, debian:trixie, "
	        "ubuntu:jammy, ubuntu:noble, amazonlinux:2023, rocky:9, almalinux:9, rhel:9, "
	        "fedora:41",
	        from);
}

static int load_at(const char *path, const struct command_list *set, unsigned depth,
                   struct arena *a, struct recipe *ret, struct err *e);

static int from_file(const struct doc *at, struct recipe *r, const char *from,
                     const struct command_list *set, unsigned depth, struct arena *a, struct err *e)
{
	struct stat st;
	struct recipe *parent;
	char real[PATH_MAX];

	r->from_type = recipe_from_suffix(from);
	r->from = include_beside(at, from, a);
	if (stat(r->from, &st) < 0)
		return doc_err(at, e, REASON_INPUT_RANGE, "opening '%s': %s", r->from,
		               strerror(errno));
	if ((r->from_type == FROM_DIRECTORY) != S_ISDIR(st.st_mode))
		return doc_err(
		        at, e, REASON_INPUT_TYPE,
		        "'%s' is %s directory, expected a distribution:release, a directory, "
		        "or a file ending in .yaml, .tar[.gz|.xz|.zst], .raw or .img",
		        r->from, S_ISDIR(st.st_mode) ? "a" : "no");
	if (r->from_type != FROM_RECIPE) {
		/* It is opened by programs that run elsewhere, and enters a key. */
		if (!realpath(r->from, real))
			return doc_err(at, e, REASON_INPUT_RANGE, "opening '%s': %s", r->from,
			               strerror(errno));
		r->from = arena_strdup(a, real);
		return 0;
	}
	if (depth == RECIPE_FROM_MAX)
		return doc_err(at, e, REASON_INPUT_CYCLE,
		               "recipes below recipes end nowhere: expected at most %d levels",
		               RECIPE_FROM_MAX);
	parent = arena_alloc(a, sizeof *parent);
	int err = load_at(r->from, set, depth + 1, a, parent, e);
	if (err < 0)
		return err;
	if (!str_eq(parent->arch, r->arch))
		return doc_err(at, e, REASON_INPUT_RANGE, "'%s' is for %s, and this for %s",
		               r->from, parent->arch, r->arch);
	r->parent = parent;
	return 0;
}

static int read_from(const struct doc *image, struct recipe *r, const char *from,
                     const struct command_list *set, unsigned depth, struct arena *a, struct err *e)
{
	const struct doc *at = place(image, "from");

	if (!from)
		return 0;
	if (strchr(from, ':') && !strchr(from, '/'))
		return from_distribution(at, r, from, e);
	return from_file(at, r, from, set, depth, a, e);
}

/* ---- facts ---- */

/* Where this program is installed: its agent goes into the image at the same place. */
static const char *own_prefix(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return "/usr";
	path[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');

		if (slash)
			*slash = '\0';
	}
	return *path ? arena_strdup(a, path) : "/usr";
}

static int set_facts(struct recipe *r, const struct command_list *set, struct arena *a,
                     struct err *e)
{
	r->facts.arena = a;
	vars_set(&r->facts, "name", r->name, "recipe");
	vars_set(&r->facts, "version", r->version, "recipe");
	vars_set(&r->facts, "arch", r->arch, "recipe");
	vars_set(&r->facts, "prefix", own_prefix(a), "program");
	vars_set(&r->facts, "stage", "", "program");
	for (size_t i = 0; set && i < set->n; i++) {
		static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
		const char *value = strchr(set->items[i], '=');
		size_t len = value ? (size_t)(value - set->items[i]) : 0;

		if (!len || strspn(set->items[i], letters) != len)
			return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
			               "--set: '%s' is not NAME=VALUE with a name of a-z, 0-9, '.' "
			               "and '-'",
			               set->items[i]);
		vars_set(&r->facts, arena_memdup(a, set->items[i], len), value + 1, "command line");
	}
	return 0;
}

/* ---- the whole ---- */

static int read_header(const struct doc *d, struct arena *a, struct recipe *r, struct header *h,
                       struct err *e)
{
	const struct doc *image = doc_get(d, "image");

	*h = header_defaults;
	if (!image)
		return doc_err(d, e, REASON_INPUT_REQUIRED,
		               "'image' is missing: expected a recipe with image: {name: ...}");
	int err = field_decode(image, recipe_image_fields, NULL, a, h, e);
	if (err == 0)
		err = check_name(image, h->name, e);
	if (err == 0)
		err = check_version(image, h->version, e);
	if (err == 0)
		err = check_cmdline(image, h->cmdline, e);
	if (err == 0)
		err = check_features(image, &h->features, e);
	if (err == 0)
		err = check_disk(image, h, e);
	if (err < 0)
		return err;
	r->name = h->name;
	r->version = h->version;
	r->arch = archs[h->arch];
	r->features = h->features;
	r->disk = (struct disk_spec){.size = h->size,
	                             .filesystem = filesystems[h->filesystem],
	                             .boot = (enum recipe_boot)h->boot,
	                             .cmdline = h->cmdline};
	return 0;
}

static int refuse_sections(const struct doc *d, struct err *e)
{
	for (size_t i = 0; i < d->n; i++)
		for (const struct recipe_refused *no = recipe_refused; no->section; no++)
			if (str_eq(d->keys[i]->text, no->section))
				return doc_err(d->keys[i], e, REASON_INPUT_UNSUPPORTED,
				               "'%s' has no place in an image: %s", no->section,
				               no->why);
	return 0;
}

static const struct doc *only_sections(const struct doc *d, struct arena *a)
{
	struct doc *sections = doc_new_map(a, d);

	for (size_t i = 0; i < d->n; i++)
		if (kinds_find(d->keys[i]->text))
			doc_append(a, sections, d->keys[i], d->items[i]);
	return sections;
}

int recipe_plan(const struct recipe *r, struct arena *a, struct plan *ret, struct err *e)
{
	return plan_build(r->sections, kinds_all, NULL, &r->facts, NULL, a, ret, e);
}

static int check_rest(const struct doc *d, const struct recipe *r, struct arena *a, struct err *e)
{
	struct plan plan;
	struct copy_list copies;
	struct component_list components;
	struct test_list tests;
	int err = refuse_sections(d, e);

	/* With the other keys known, so that a misspelt one is compared with all of them. */
	if (err == 0)
		err = plan_build(d, kinds_all, own_keys, &r->facts, NULL, a, &plan, e);
	if (err == 0)
		err = copy_read(r->copy, &r->facts, a, &copies, e);
	if (err == 0)
		err = component_read(r->components, a, &components, e);
	if (err == 0)
		err = test_read(r->tests, &r->facts, a, &tests, e);
	return err;
}

static int load_at(const char *path, const struct command_list *set, unsigned depth,
                   struct arena *a, struct recipe *ret, struct err *e)
{
	struct recipe r = {.file = path};
	struct header h;
	struct doc *d;
	int err = include_load(path, a, &d, e);

	if (err == 0)
		err = read_header(d, a, &r, &h, e);
	if (err == 0)
		err = set_facts(&r, set, a, e);
	if (err == 0)
		err = read_from(doc_get(d, "image"), &r, h.from, set, depth, a, e);
	if (err < 0)
		return err;
	r.image = doc_get(d, "image");
	r.sections = only_sections(d, a);
	r.copy = doc_get(d, "copy");
	r.components = doc_get(d, "components");
	r.tests = doc_get(d, "tests");
	err = check_rest(d, &r, a, e);
	if (err == 0)
		*ret = r;
	return err;
}

int recipe_load(const char *path, const struct command_list *set, struct arena *a,
                struct recipe *ret, struct err *e)
{
	return load_at(arena_strdup(a, path), set, 0, a, ret, e);
}
