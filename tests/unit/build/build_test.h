/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of build/ share: a directory of their own, recipes over a base that takes no time. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "build/chain.h"
#include "host/tree.h"

static char top[] = "/tmp/unit-build-XXXXXX";
static struct arena *arena;
static struct err e;

static inline const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

static inline void put(const char *name, const char *text)
{
	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
		(void)mkdir(arena_printf(arena, "%s/%.*s", top, (int)(p - name), name), 0755);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

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

static inline int set_up(void **state)
{
	(void)state;
	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	arena = arena_new();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	assert_ok(tree_remove(AT_FDCWD, top, true, &e));
	arena_close(arena);
	return 0;
}
