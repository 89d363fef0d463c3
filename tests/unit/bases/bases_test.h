/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of bases/ share: a recipe from somewhere, planned and made. */
#pragma once

#include "machine.h"

#include <sys/utsname.h>

#include "base/clock.h"
#include "bases/base.h"
#include "store/objects.h"

static struct recipe recipe;
static struct base planned;
static struct strbuf key;

static inline const char *own_arch(void)
{
	struct utsname u;

	assert_int_equal(uname(&u), 0);
	return str_eq(u.machine, "aarch64") ? "arm64" : "x86_64";
}

static inline void load(const char *from, const char *rest)
{
	put("r.yaml", arena_printf(arena, "image: {name: unit, arch: %s, from: '%s'}\n%s",
	                           own_arch(), from, rest));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
}

/* The recipe's key is then in `key`. */
static inline int plan_base(const struct lock *lock)
{
	key = STRBUF(arena, 65536);
	strbuf_str(&key, "");
	return base_plan(&recipe, lock, arena, &planned, &key, &e);
}

/* Lines of what makes it, appended to the file `lines`. */
static inline void hear_line(void *ctx, const char *line)
{
	(void)ctx;
	put("lines", arena_printf(arena, "%s%s\n", get("lines"), line));
}

/* In the directory `new`. */
static inline int make_base(struct store *s)
{
	assert_true(mkdir(at("new"), 0755) == 0 || errno == EEXIST);
	return base_make(&planned, at("new"), s, clock_in_ms(60000), hear_line, NULL, &e);
}

static inline const char *digest_of(const char *text)
{
	char *hex = arena_alloc(arena, SHA256_HEX);

	digest_hex(text, strlen(text), hex);
	return hex;
}

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		const char *has_ = (text);                                                         \
		if (!strstr(has_, (part)))                                                         \
			fail_msg("'%s' lacks '%s'", has_, (part));                                 \
	} while (0)
