/* SPDX-License-Identifier: Apache-2.0 */
/* What of a recipe is for some images: what the header says of the image, and checks of what is left out. */
#include "recipe_test.h"

#include "recipe/recipe.h"

static struct recipe got;

static int load(const char *text)
{
	put_yaml("r.yaml", text);
	return recipe_load(at("r.yaml"), NULL, arena, &got, &e);
}

static void the_header_says_what_the_image_is(void **state)
{
	(void)state;
	static const char *const when_trixie =
	        "when: [{match: {distribution: debian:trixie}, packages: [t]}]";
	struct field_strings names;

	assert_ok(load(
	        arena_printf(arena, "{image: {name: a, from: 'debian:trixie'}, %s}", when_trixie)));
	assert_string_equal(got.distribution, "debian:trixie");
	assert_ok(recipe_packages(&got, arena, &names, &e));
	assert_int_equal(names.n, 1);
	assert_int_equal(got.n_left, 0);
	assert_ok(load(arena_printf(arena, "{image: {name: a, from: 'debian:bookworm'}, %s}",
	                            when_trixie)));
	assert_ok(recipe_packages(&got, arena, &names, &e));
	assert_int_equal(names.n, 0);
	assert_int_equal(got.n_left, 1);
	put_yaml("child.yaml",
	         arena_printf(arena, "{image: {name: b, from: r.yaml}, %s}", when_trixie));
	assert_ok(recipe_load(at("child.yaml"), NULL, arena, &got, &e));
	assert_string_equal(got.distribution, "debian:bookworm");
	assert_int_equal(got.n_left, 1);
}

static void of_a_tar_the_recipe_says_it(void **state)
{
	(void)state;
	put("base.tar", "");
	static const char *const when_ubuntu =
	        "when: [{match: {distribution: ubuntu}, sysctl: {kernel.panic: 1}}]";

	assert_err(load(arena_printf(arena, "{image: {name: a, from: base.tar}, %s}", when_ubuntu)),
	           ERR_INPUT, "is not known here: expected image.from or image.distribution");
	assert_ok(load(arena_printf(
	        arena, "{image: {name: a, from: base.tar, distribution: 'ubuntu:noble'}, %s}",
	        when_ubuntu)));
	assert_non_null(doc_get(got.sections, "sysctl"));
	assert_ok(load(arena_printf(arena, "{image: {name: a, distribution: 'debian:trixie'}, %s}",
	                            when_ubuntu)));
	assert_null(doc_get(got.sections, "sysctl"));
	assert_err(load("{image: {name: a, from: base.tar, distribution: 'ubuntu'}}"), ERR_INPUT,
	           "unknown distribution 'ubuntu'");
	assert_err(load("{image: {name: a, from: 'debian:trixie', distribution: 'debian:trixie'}}"),
	           ERR_INPUT, "'distribution' follows from 'from', which is a distribution");
	assert_err(load("{image: {name: a, from: x.yaml, distribution: 'debian:trixie'}}"),
	           ERR_INPUT, "'distribution' follows from 'from', which is a recipe");
}

static void what_is_left_out_is_checked_as_well(void **state)
{
	(void)state;
	static const struct {
		const char *part, *says;
	} bad[] = {
	        {"file: []", "unknown section 'file', did you mean 'files'?"},
	        {"files: [{pth: /x}]", "did you mean 'path'?"},
	        {"hostname: x", "'hostname' has no place in an image"},
	        {"copy: [{form: x, to: /y}]", "did you mean 'from'?"},
	        {"tests: [{rum: x}]", "did you mean 'run'?"},
	        {"components: [{flie: x}]", "did you mean 'file'?"},
	        {"allow: [{rle: x}]", "did you mean 'rule'?"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(load(arena_printf(arena,
		                             "{image: {name: a}, when: [{match: {arch: arm64}, "
		                             "%s}]}",
		                             bad[i].part)),
		           ERR_INPUT, bad[i].says);
	static const struct {
		const char *section, *says;
	} entries[] = {
	        {"files: [{pth: /x, match: {arch: arm64}}]", "did you mean 'path'?"},
	        {"hostname: [{match: {arch: arm64}}]", "'hostname' has no place in an image"},
	        {"copy: [{form: x, to: /y, match: {arch: arm64}}]", "did you mean 'from'?"},
	        {"packages: [{name: 'a b', match: {arch: arm64}}]", "'a b'"},
	        {"packages: {names: [], files: [{name: x, match: {arch: arm64}}]}", "'x'"},
	};
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		assert_err(load(arena_printf(arena, "{image: {name: a}, %s}", entries[i].section)),
		           ERR_INPUT, entries[i].says);
	/* Steps of other parts may be those that it comes after. */
	assert_ok(
	        load("{image: {name: a}, when: [{match: {arch: arm64}, files: [{path: /x, after: "
	             "[sysctl], content: a}]}, {match: {arch: x86_64}, files: [{path: /x, content: "
	             "b}]}]}"));
	assert_int_equal(got.n_left, 1);
}

static void all_slips_are_found(void **state)
{
	(void)state;
	struct faults faults = {.arena = arena};

	put_yaml("r.yaml", "{image: {name: a}, packages: {nmes: []}, when: [{match: {arch: x}}, "
	                   "{match: {arch: y}}, {match: {arch: arm64}, file: [], sysct: {}}]}");
	assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT, "");
	assert_int_equal(faults.n, 6);
	/* Of entries too; and where the header says nothing of use, `match` itself is no fault. */
	faults.n = 0;
	put_yaml("r.yaml",
	         "{image: {name: a}, packages: [{name: x, match: {arch: x}}, {nme: x, match: "
	         "{arch: arm64}}], files: [{pth: x, match: {arch: arm64}}]}");
	assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT, "");
	assert_int_equal(faults.n, 4);
	faults.n = 0;
	put_yaml("r.yaml", "{image: {nme: a}, packages: [{name: x, match: {arch: arm64}}], "
	                   "files: [{path: /x, content: a, match: {arch: x86_64}}]}");
	assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT,
	           "'name' is missing");
	for (size_t i = 0; i < faults.n; i++)
		assert_null(strstr(faults.items[i].text, "match"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(the_header_says_what_the_image_is),
	        SCRATCH_TEST(of_a_tar_the_recipe_says_it),
	        SCRATCH_TEST(what_is_left_out_is_checked_as_well),
	        SCRATCH_TEST(all_slips_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
