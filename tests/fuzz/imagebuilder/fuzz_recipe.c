/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe all the way to its plan. What it includes is looked for beside it, where nothing is. */
#include "fuzz_file.h"
#include "recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct recipe recipe = {0};
	struct plan plan;
	struct err e = {0};

	fuzz_put("r.yaml", data, size);
	int r = recipe_load(arena_printf(a, "%s/r.yaml", fuzz_dir_path), NULL, a, &recipe, &e);
	fuzz_check_err(r, &e);
	if (r < 0) {
		/* Of what it includes from elsewhere, the place is there. */
		FUZZ_CHECK(strchr(e.text, ':'));
		return 0;
	}
	FUZZ_CHECK(recipe.name && *recipe.name && recipe.version && recipe.arch && recipe.sections);
	FUZZ_CHECK(recipe.disk.size >= RECIPE_DISK_MIN && recipe.disk.size <= RECIPE_DISK_MAX);
	FUZZ_CHECK(recipe_plan(&recipe, a, &plan, &e) == 0);
	return 0;
}
