/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of build/ share: recipes over a base that takes no time. */
#pragma once

#include "scratch.h"

#include <sys/utsname.h>

#include "build/chain.h"

static inline const char *own_arch(void)
{
	struct utsname u;

	assert_int_equal(uname(&u), 0);
	return str_eq(u.machine, "aarch64") ? "arm64" : "x86_64";
}

/* The rest of the recipe, over the directory `tree`; kept in the file `r.yaml`. */
static inline void write_recipe(const char *rest)
{
	(void)mkdir(at("tree"), 0755);
	put("r.yaml",
	    arena_printf(arena, "image: {name: unit, arch: %s, from: tree}\n%s", own_arch(), rest));
}

static inline struct recipe *load(const char *rest)
{
	struct recipe *recipe = arena_alloc(arena, sizeof *recipe);

	write_recipe(rest);
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, recipe, &e));
	return recipe;
}

static inline struct chain *chain_of(const char *rest)
{
	struct chain *c = arena_alloc(arena, sizeof *c);

	assert_ok(chain_plan(load(rest), NULL, arena, c, &e));
	return c;
}
