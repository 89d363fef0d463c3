/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a recipe: its table of keys, and checks of their values. */
#include <inttypes.h>
#include <limits.h>

#include "document/arch.h"
#include "document/distribution.h"
#include "recipe/debline.h"
#include "recipe/feature.h"
#include "recipe/recipe_own.h"

#define CMDLINE_DEFAULT "console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295"
#define CMDLINE_MAX     1024 /* x86 allows 2047 with root= and what the boot loader adds */
#define FEATURES_MAX    8
#define SOURCES_MAX     64
#define NAME_MAX_LEN    64 /* an AMI's name has up to 128, and version and architecture follow */

struct header {
	const char *name, *version, *from, *distribution, *cmdline;
	int arch, filesystem, boot;
	uint64_t size;
	struct field_strings features, sources;
};

#define UNSET (-1)
static const char *const filesystems[] = {"ext4", NULL};
static const char *const boots[] = {"uefi+bios", "uefi", "uefi+secure", NULL};

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
        {"sources", FIELD_STRINGS, FIELD_AT(struct header, sources), .max = SOURCES_MAX,
         .help = "lines of sources.list(5) that a debian: or ubuntu: release is made from "
                 "(default: this machine's)"},
        {"arch", FIELD_CHOICE, FIELD_AT(struct header, arch), .choices = arch_names,
         .help = "of the processors it is for (default: x86_64)"},
        {"distribution", FIELD_STRING, FIELD_AT(struct header, distribution), .min = 1,
         .help = "what a tar, disk or directory has in it, or the machine to provision: for "
                 "`when`"},
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

static const struct doc *place(const struct doc *map, const char *key)
{
	const struct doc *d = doc_find(map, key);

	return d ? d : map;
}

static const struct doc *entry(const struct doc *list, size_t i)
{
	return list->type == DOC_LIST ? list->items[i] : list;
}

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
		return doc_err(entry(at, i), e, REASON_INPUT_RANGE,
		               near ? "unknown feature '%s', did you mean '%s'?"
		                    : "unknown feature '%s', expected efa, lustre or nvidia%s",
		               list->items[i], near ? near : "");
	}
	return 0;
}

static int check_sources(const struct doc *image, const struct header *h, struct err *e)
{
	const struct doc *at = doc_get(image, "sources");
	const char *release;

	if (!h->sources.n)
		return 0;
	for (size_t i = 0; i < h->sources.n; i++) {
		int r = debline_check(entry(at, i), h->sources.items[i], e);
		if (r < 0)
			return r;
	}
	if (!h->from || (!str_starts(h->from, "debian:") && !str_starts(h->from, "ubuntu:")))
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "'sources' are of a debian: or ubuntu: release that the image is "
		               "'from'");
	release = strchr(h->from, ':') + 1;
	for (size_t i = 0; i < h->sources.n; i++)
		if (debline_is_of(h->sources.items[i], release))
			return 0;
	return doc_err(at, e, REASON_INPUT_RANGE,
	               "none of the sources is of the suite '%s', which the image is from",
	               release);
}

/* Of what is from a distribution, or from a recipe, that is said already. */
static int check_distribution(const struct doc *image, struct header *h, struct err *e)
{
	const struct doc *at = doc_get(image, "distribution");

	if (!at)
		return 0;
	if (h->from && recipe_from_of(h->from) <= FROM_RECIPE)
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "'distribution' follows from 'from', which is a %s: take it out",
		               recipe_from_name(recipe_from_of(h->from)));
	return distribution_find(at, h->distribution, &h->distribution, e);
}

static int check_disk(const struct doc *image, struct header *h, struct err *e)
{
	bool arm = str_eq(arch_name(h->arch), "arm64");

	if (h->size % RECIPE_IMAGE_MIB)
		return doc_err(place(image, "disk.size"), e, REASON_INPUT_RANGE,
		               "a disk is whole MiB, and %" PRIu64 " bytes are not", h->size);
	if (h->boot == UNSET)
		h->boot = arm ? BOOT_UEFI : BOOT_UEFI_BIOS;
	if (arm && h->boot == BOOT_UEFI_BIOS)
		return doc_err(place(image, "disk.boot"), e, REASON_INPUT_RANGE,
		               "arm64 machines have no BIOS, expected boot: uefi");
	if (arm && h->boot == BOOT_UEFI_SECURE)
		return doc_err(place(image, "disk.boot"), e, REASON_INPUT_UNSUPPORTED,
		               "uefi+secure is for x86_64 only, expected boot: uefi");
	return 0;
}

static int check_values(const struct doc *image, struct header *h, struct faults *faults,
                        struct err *e)
{
	struct err found[7];
	const int results[] = {check_name(image, h->name, &found[0]),
	                       check_version(image, h->version, &found[1]),
	                       check_cmdline(image, h->cmdline, &found[2]),
	                       check_features(image, &h->features, &found[3]),
	                       check_disk(image, h, &found[4]),
	                       check_distribution(image, h, &found[5]),
	                       check_sources(image, h, &found[6])};

	for (size_t i = ARRAY_LEN(results); i-- > 0;)
		if (results[i] < 0)
			*e = found[i]; /* the first */
	for (size_t i = 0; i < ARRAY_LEN(results); i++)
		if (results[i] < 0 && !faults_add(faults, &found[i]))
			return -e->no;
	for (size_t i = 0; i < ARRAY_LEN(results); i++)
		if (results[i] < 0)
			return -e->no;
	return 0;
}

int recipe_header(const struct doc *image, struct faults *faults, struct arena *a,
                  struct recipe *ret, const char **ret_from, struct err *e)
{
	struct header h = header_defaults;
	int r = field_decode_all(image, recipe_image_fields, NULL, faults, a, &h, e);

	if (r == 0)
		r = check_values(image, &h, faults, e);
	ret->name = h.name ? h.name : "unnamed"; /* without a fault it has one */
	ret->version = h.version;
	ret->arch = arch_name(h.arch);
	ret->distribution = h.distribution;
	ret->features = h.features;
	ret->sources = h.sources;
	ret->disk = (struct disk_spec){.size = h.size,
	                               .filesystem = filesystems[h.filesystem],
	                               .boot = (enum recipe_boot)h.boot,
	                               .cmdline = h.cmdline};
	*ret_from = h.from;
	return r;
}
