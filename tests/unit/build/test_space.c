/* SPDX-License-Identifier: Apache-2.0 */
/* How much room a build asks for: by what the last one took, and by its formats. */
#include "build_test.h"
#include "machine.h"

#include <sys/statvfs.h>

#include "build/space.h"
#include "build/why.h"
#include "store/store.h"

#define MIB ((uint64_t)1 << 20)
#define PIB ((uint64_t)1 << 50) /* no machine has it */

/* As if the recipe had been built, its base of that size; with `missing` a layer is gone. */
static struct recipe *built(uint64_t bytes, bool missing)
{
	scope_store struct store s = STORE_INIT;
	struct recipe *recipe = load("files: [{path: /etc/motd, content: hi}]\n");
	const char *below = "";
	struct layer *held;
	struct chain c;

	assert_ok(store_open(at("store"), &s, &e));
	assert_ok(chain_plan(recipe, NULL, arena, &c, &e));
	held = arena_array(arena, c.n, sizeof *held);
	for (size_t i = 0; i < c.n; i++) {
		chain_key(&c, i, below, held[i].key);
		below = held[i].key;
		if (missing && i == 1)
			continue;
		put(arena_printf(arena, "store/layers/%s/meta.json", held[i].key),
		    arena_printf(
		            arena,
		            "{\"key\": \"%s\", \"step\": \"x\", \"parent\": \"\", \"bytes\": %llu}",
		            held[i].key, (unsigned long long)(i ? 0 : bytes)));
	}
	why_remember(&c, &s, recipe->file, held, c.n, false);
	return recipe;
}

static int check(const struct recipe *recipe, const char *format)
{
	const char *formats[2] = {format, format};

	memset(&e, 0, sizeof e);
	return space_check(recipe, at("store"), format ? at("out/deep/er") : NULL, formats,
	                   format ? 1 : 0, &e);
}

/* What a build wants at `where`, in MiB, by its refusal. */
static void assert_wants(const struct recipe *recipe, const char *format, uint64_t mib)
{
	assert_err(check(recipe, format), ERR_HOST,
	           arena_printf(arena, "takes about %llu MiB at '", (unsigned long long)mib));
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	assert_int_equal(e.no, ENOSPC);
}

static void the_last_build_tells(void **state)
{
	struct recipe *recipe = built(PIB, false);
	/* A quarter more, and a margin; one file system has both, so the layers come on top. */
	uint64_t tree = PIB + PIB / 4 + 64 * MIB, layers = 256 * MIB;

	(void)state;
	assert_wants(recipe, "tar", (tree + layers) / MIB);
	assert_wants(recipe, "dir", (tree + layers) / MIB);
	recipe->disk.size = 2 * PIB;
	assert_wants(recipe, "raw", (tree + layers) / MIB);
	assert_wants(recipe, "qcow2", (2 * tree + layers) / MIB);
	/* A disk takes no more than its size. */
	recipe->disk.size = PIB;
	assert_wants(recipe, "raw", (PIB + layers) / MIB);
	assert_wants(recipe, "qcow2", (2 * PIB + layers) / MIB);
	assert_non_null(strstr(e.text, "or name another place by --store"));
	/* Nothing is written but layers. */
	assert_ok(check(recipe, NULL));
}

static void one_that_is_not_whole_tells_nothing(void **state)
{
	struct recipe *recipe = built(PIB, true);
	struct statvfs fs;

	(void)state;
	assert_int_equal(statvfs(top, &fs), 0);
	if ((uint64_t)fs.f_bavail * fs.f_frsize > 3 * SPACE_COLD)
		assert_ok(check(recipe, "tar"));
	else
		assert_wants(recipe, "tar", (SPACE_COLD + 256 * MIB) / MIB);
}

static void places_that_are_not_there_are_looked_at_above(void **state)
{
	struct recipe *recipe = load("");

	(void)state;
	put("file", "x");
	const char *format = "tar";
	assert_err(space_check(recipe, at("file/store"), NULL, NULL, 0, &e), ERR_HOST,
	           "--store: looking at");
	assert_err(space_check(recipe, at("store"), at("file/out"), &format, 1, &e), ERR_HOST,
	           "--output: looking at");
}

static int check_at(const struct recipe *recipe, const char *store, const char *out, size_t n)
{
	static const char *const formats[] = {"tar", "dir"};

	memset(&e, 0, sizeof e);
	return space_check(recipe, store, out, formats, n, &e);
}

/* Of its own size, without anything in it. */
static const char *file_system(const char *name, uint64_t mib)
{
	(void)mkdir(at(name), 0755);
	assert_int_equal(mount("none", at(name), "tmpfs", 0,
	                       arena_printf(arena, "size=%llum", (unsigned long long)mib)),
	                 0);
	return at(name);
}

/* Each of two file systems has room for what is its own, to the byte. */
static void each_file_system_has_its_own(void **state)
{
	(void)state;
	unit_need_root();
	struct recipe *recipe = built(400 * MIB, false);
	const char *store = at("store");
	uint64_t tree = 400 + 100 + 64;

	const char *small = file_system("small", tree - 1), *fits = file_system("fits", tree);
	assert_err(check_at(recipe, store, at("small/x"), 1), ERR_HOST,
	           arena_printf(arena,
	                        "building 'unit' takes about %llu MiB at '%s/x', which has %llu: "
	                        "make room there (hpc-imagebuild cache prune), or name another "
	                        "place by --output",
	                        (unsigned long long)tree, small, (unsigned long long)tree - 1));
	assert_ok(check_at(recipe, store, at("fits/x"), 1));
	assert_err(check_at(recipe, store, at("fits/x"), 2), ERR_HOST,
	           arena_printf(arena, "about %llu MiB at '%s/x'", (unsigned long long)(2 * tree),
	                        fits));
	/* A store that has never built wants room for all; one that has, for layers only. */
	file_system("cold", 1023);
	assert_err(
	        check_at(recipe, at("cold/s"), NULL, 0), ERR_HOST,
	        arena_printf(arena, "takes about 1024 MiB at '%s', which has 1023", at("cold/s")));
	file_system("warm", 1024);
	assert_ok(check_at(recipe, at("warm/s"), NULL, 0));
	assert_err(check_at(recipe, at("cold/s"), at("warm/x"), 1), ERR_HOST, "by --store");
	for (const char *const *p = (const char *const[]){"small", "fits", "cold", "warm", NULL};
	     *p; p++)
		assert_int_equal(umount(at(*p)), 0);
}

/* Relative to where we are, and up to the root. */
static void a_place_may_have_nothing_above_it(void **state)
{
	struct recipe *recipe = load("");
	char before[4096];

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(check_at(recipe, "none", NULL, 0), check_at(recipe, top, NULL, 0));
	assert_int_equal(check_at(recipe, "none/deep/er", NULL, 0), check_at(recipe, top, NULL, 0));
	assert_int_equal(check_at(recipe, "/none", NULL, 0), check_at(recipe, "/", NULL, 0));
	assert_int_equal(chdir(before), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(the_last_build_tells),
	        T(one_that_is_not_whole_tells_nothing),
	        T(each_file_system_has_its_own),
	        T(a_place_may_have_nothing_above_it),
	        T(places_that_are_not_there_are_looked_at_above),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
