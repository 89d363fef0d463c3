/* SPDX-License-Identifier: Apache-2.0 */
/* The possible values of `from`. */
#include "recipe/recipe_own.h"

/* The distributions that images can be built from, under their usual names. */
static const char *const distributions[] = {
        "debian:bookworm", "debian:trixie", "ubuntu:jammy", "ubuntu:noble", "amazonlinux:2023",
        "rocky:9",         "almalinux:9",   "rhel:9",       "fedora:41",
};

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

int recipe_distribution(const struct doc *at, const char *from, const char **ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(distributions); i++)
		if (str_eq(distributions[i], from)) {
			*ret = distributions[i];
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
