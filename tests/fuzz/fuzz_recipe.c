/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe all the way to its plan. What it includes is looked for beside it, where nothing is. */
#include "fuzz_file.h"
#include "recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct recipe r = {0};
	struct plan plan;
	struct err e = {0};

	fuzz_put("r.yaml", data, size);
	int rc = recipe_load(arena_printf(a, "%s/r.yaml", fuzz_dir_path), NULL, a, &r, &e);
	fuzz_check_err(rc, &e);
	if (rc < 0) {
		/* Of what it includes from elsewhere, the place is there. */
		FUZZ_CHECK(strchr(e.text, ':'));
		return 0;
	}
	FUZZ_CHECK(r.name && *r.name && r.version && r.arch && r.sections);
	FUZZ_CHECK(r.disk.size >= RECIPE_DISK_MIN && r.disk.size <= RECIPE_DISK_MAX);
	FUZZ_CHECK(recipe_plan(&r, a, &plan, &e) == 0);
	return 0;
}
