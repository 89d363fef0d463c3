/* SPDX-License-Identifier: Apache-2.0 */
/* The possible values of `from`. */
#include "recipe/recipe.h"

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

enum recipe_from recipe_from_of(const char *from)
{
	return strchr(from, ':') && !strchr(from, '/') ? FROM_DISTRIBUTION
	                                               : recipe_from_suffix(from);
}
