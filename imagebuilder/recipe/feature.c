/* SPDX-License-Identifier: Apache-2.0 */
/* Features of an image: checked by packages before a build, and by modules after it. */
#include "recipe/feature.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>

#include "base/file.h"
#include "base/scope.h"
#include "recipe/brings.h"

#define MODULES_MAX (16UL << 20) /* bytes of a modules.dep */
#define MODULE_NAME 64

const char *const feature_names[] = {"efa", "lustre", "nvidia", NULL};

/*
 * Packages that provide a feature in a distribution. No row: its kernel has it, or it isn't known,
 * and feature_prove decides. State of the packages in November 2026: no kernel of Debian 12 and 13
 * has CONFIG_INFINIBAND_EFA, including the cloud kernels, and there is no Lustre client.
 */
static const struct carrier {
	const char *feature, *distribution;
	const char *packages[2]; /* one of each group that is given is needed */
	const char *fix;
} carriers[] = {
        {"efa",
         "debian:",
         {"efa efa-dkms"},
         "Debian's kernels are built without EFA, linux-image-amd64 as well as the cloud kernel: "
         "install Amazon's driver (aws-efa-installer) by a component with the packages dkms and "
         "linux-headers of that kernel"},
        {"lustre",
         "debian:",
         {"lustre-client-modules-*"},
         "Debian has no Lustre client: install lustre-client-modules-dkms, made from Lustre's "
         "sources, by a component, or build from amazonlinux:2023 with lustre-client"},
        {"lustre",
         "ubuntu:",
         {"lustre-client-modules-*"},
         "add lustre-client-modules-aws of Amazon's repository fsx-lustre-client-repo"},
        {"lustre", "amazonlinux:", {"lustre-client"}, "add the package lustre-client"},
        {"lustre",
         "",
         {"lustre-client* kmod-lustre-client*"},
         "add kmod-lustre-client of Amazon's repository fsx-lustre-client"},
        {"nvidia",
         "debian:",
         {"nvidia-driver nvidia-driver-* nvidia-kernel-dkms nvidia-open-kernel-dkms nvidia-open "
          "nvidia-tesla-* cuda-drivers*",
          "linux-headers-*"},
         "add the packages nvidia-driver, of Debian's components contrib and non-free, and the "
         "kernel's linux-headers-*, by which its module is built"},
        {"nvidia",
         "ubuntu:",
         {"nvidia-driver-* nvidia-headless-* nvidia-dkms-* linux-modules-nvidia-* nvidia-open* "
          "cuda-drivers*"},
         "add linux-modules-nvidia-SERIES-server-aws, or nvidia-driver-SERIES-server"},
        {"nvidia",
         "",
         {"nvidia-driver* nvidia-open* kmod-nvidia* akmod-nvidia* cuda-drivers*"},
         "add nvidia-open or nvidia-driver of NVIDIA's repository"},
};

/* Modules by their names with '_'; Debian names NVIDIA's by the series. */
static const struct module {
	const char *feature, *pattern;
} modules[] = {
        {"efa", "efa"},
        {"lustre", "lustre"},
        {"nvidia", "nvidia"},
        {"nvidia", "nvidia_current*"},
        {"nvidia", "nvidia_tesla*"},
};

static const char *const modules_in[] = {"/lib/modules", "/usr/lib/modules", NULL};

static int refuse(const struct recipe *r, size_t i, struct err *e, enum reason reason,
                  const char *why)
{
	const struct doc *at = doc_get(r->image, "features");

	return doc_err(at->type == DOC_LIST ? at->items[i] : at, e, reason, "feature '%s': %s",
	               r->features.items[i], why);
}

/* ---- before any work ---- */

static const struct carrier *row_of(const char *feature, const char *distribution)
{
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++)
		if (str_eq(carriers[i].feature, feature) &&
		    str_starts(distribution, carriers[i].distribution))
			return &carriers[i];
	return NULL;
}

static int check_one(const struct recipe *recipe, size_t i, const struct recipe *top,
                     struct arena *a, struct err *e)
{
	const struct carrier *row = row_of(recipe->features.items[i], brings_lowest(recipe)->from);

	for (size_t k = 0; row && k < ARRAY_LEN(row->packages) && row->packages[k]; k++) {
		bool found;
		int r = brings_package(top, row->packages[k], a, &found, e);

		if (r < 0)
			return r;
		if (!found)
			return refuse(recipe, i, e, REASON_INPUT_UNSUPPORTED,
			              arena_printf(a, "no package of this image brings %s: %s",
			                           k ? row->packages[k] : "it", row->fix));
	}
	return 0;
}

int feature_check(const struct recipe *top, struct arena *a, struct err *e)
{
	if (brings_lowest(top)->from_type != FROM_DISTRIBUTION || brings_unknown(top, modules_in))
		return 0;
	for (const struct recipe *recipe = top; recipe; recipe = recipe->parent)
		for (size_t i = 0; i < recipe->features.n; i++) {
			int r = check_one(recipe, i, top, a, e);

			if (r < 0)
				return r;
		}
	return 0;
}

/* ---- the check after the build ---- */

/* "kernel/drivers/x/nvidia-current.ko.xz: ..." is "nvidia_current". */
static void module_name(const char *line, size_t len, char out[static MODULE_NAME])
{
	const char *colon = memchr(line, ':', len);
	size_t end = colon ? (size_t)(colon - line) : len, from = end, n = 0;

	while (from > 0 && line[from - 1] != '/')
		from--;
	for (size_t i = from; i < end && line[i] != '.' && n < MODULE_NAME - 1; i++)
		out[n++] = line[i] == '-' ? '_' : line[i];
	out[n] = '\0';
}

static bool is_module_of(const char *feature, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		if (str_eq(modules[i].feature, feature) &&
		    fnmatch(modules[i].pattern, name, 0) == 0)
			return true;
	return false;
}

static bool in_list(struct blob list, const char *feature)
{
	char name[MODULE_NAME];

	for (const char *p = list.data, *end = p + list.len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);

		module_name(p, len, name);
		if (is_module_of(feature, name))
			return true;
		p += len + 1;
	}
	return false;
}

/* 1: it has the module, 0: it hasn't. A directory without modules.dep is not a bootable kernel:
 * packages leave such directories behind. */
static int kernel_has(int root, const char *kernel, const char *feature, bool *ret_kernel)
{
	static const char *const lists[] = {"modules.dep", "modules.builtin"};
	scope_arena struct arena *a = arena_new();
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct blob list;
		struct err none;
		const char *path = arena_printf(a, "/lib/modules/%s/%s", kernel, lists[i]);

		if (file_read(root, path, MODULES_MAX, a, &list, &none) < 0)
			continue;
		*ret_kernel = *ret_kernel || i == 0;
		found = found || in_list(list, feature);
	}
	return found;
}

static int prove(const struct recipe *r, size_t i, int root, struct arena *a, struct err *e)
{
	const char *feature = r->features.items[i];
	int fd = file_open(root, "/lib/modules", O_RDONLY | O_DIRECTORY, 0);
	scope_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	bool any = false;

	while (dir && (d = readdir(dir))) {
		bool kernel = false;

		if (d->d_name[0] == '.')
			continue;
		int has = kernel_has(root, d->d_name, feature, &kernel);
		any = any || kernel;
		if (kernel && !has)
			return refuse(r, i, e, REASON_HOST_COMMAND_FAILED,
			              arena_printf(a,
			                           "the kernel '%s' in the finished tree has no "
			                           "module '%s'",
			                           d->d_name, feature));
	}
	return any ? 0
	           : refuse(r, i, e, REASON_HOST_COMMAND_FAILED,
	                    "the finished tree has no kernel in /lib/modules");
}

int feature_prove(const struct recipe *recipe, int root, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	for (size_t i = 0; i < recipe->features.n; i++) {
		int r = prove(recipe, i, root, a, e);

		if (r < 0) {
			e->kind = ERR_HOST; /* the recipe is right, the result isn't */
			return r;
		}
	}
	return 0;
}
