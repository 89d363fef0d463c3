/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a recipe that are for some images. */
#include "recipe_test.h"

#include "recipe/include.h"
#include "recipe/recipe.h"

static struct when when;

/* The text as it is for that image. */
static int apply(const char *text, const char *distribution, const char *arch, struct doc **ret)
{
	put_yaml("r.yaml", text);
	when = (struct when){.distribution = distribution, .arch = arch};
	return include_load(at("r.yaml"), NULL, &when, arena, ret, &e);
}

static const char *applied(const char *text, const char *distribution, const char *arch)
{
	struct strbuf out = STRBUF(arena, 100000);
	struct doc *d;

	assert_ok(apply(text, distribution, arch, &d));
	doc_json(d, &out);
	return out.data;
}

static void a_part_counts_where_all_of_its_keys_hold(void **state)
{
	(void)state;
	static const char *const text =
	        "{x: [0], when: [{match: {distribution: [debian:trixie, ubuntu], arch: arm64}, x: [1]},"
	        " {match: {distribution: debian}, x: [2]}, {match: {arch: [x86_64]}, x: [3]}]}";

	assert_string_equal(applied(text, "debian:trixie", "arm64"), "{\"x\":[0,1,2]}");
	assert_int_equal(when.n, 1);
	assert_string_equal(applied(text, "ubuntu:noble", "arm64"), "{\"x\":[0,1]}");
	assert_string_equal(applied(text, "debian:bookworm", "arm64"), "{\"x\":[0,2]}");
	assert_string_equal(applied(text, "debian:trixie", "x86_64"), "{\"x\":[0,2,3]}");
	assert_string_equal(applied(text, "rocky:9", "x86_64"), "{\"x\":[0,3]}");
	assert_int_equal(when.n, 2);
}

static void what_is_left_out_tells_where_and_why(void **state)
{
	(void)state;
	static const char *const text =
	        "{when: [{match: {distribution: [debian:trixie, ubuntu], arch: arm64}, x: [1],"
	        " include: [none.yaml]}, {match: {arch: aarch64}, y: 1}]}";

	assert_string_equal(applied(text, "debian:bookworm", "x86_64"), "{}");
	assert_int_equal(when.n, 2);
	assert_string_equal(when.left[0].why,
	                    "it is for debian:trixie or ubuntu, and the image is debian:bookworm");
	assert_string_equal(when.left[1].why, "it is for aarch64, and the image is x86_64");
	assert_int_equal(when.left[0].part->line, 1);
	assert_int_equal(when.left[0].part->col, 13);
	assert_non_null(doc_get(when.left[0].part, "match"));
	assert_int_equal(when.left[0].rest->n, 1);
	assert_non_null(doc_get(when.left[0].rest, "x"));
}

static void other_names_of_architectures_are_understood(void **state)
{
	(void)state;
	static const char *const text =
	        "{when: [{match: {arch: aarch64}, x: 1}, {match: {arch: amd64}, x: 2}]}";

	assert_string_equal(applied(text, NULL, "arm64"), "{\"x\":1}");
	assert_string_equal(applied(text, NULL, "x86_64"), "{\"x\":2}");
}

static void parts_lie_over_the_text_they_are_in(void **state)
{
	(void)state;
	put_yaml("low.yaml", "{x: {a: low, b: low}, l: [low], when: [{match: {arch: arm64},"
	                     " x: {a: lowpart, b: lowpart}, l: [lowpart]}]}");
	put_yaml("part.yaml", "{l: [part]}");
	assert_string_equal(
	        applied("{include: [low.yaml], x: {a: high}, when: [{match: {arch: arm64}, "
	                "include: [part.yaml], l: [high]}, {match: {arch: arm64}, l: [last]}]}",
	                NULL, "arm64"),
	        "{\"x\":{\"a\":\"high\",\"b\":\"lowpart\"},"
	        "\"l\":[\"low\",\"lowpart\",\"part\",\"high\",\"last\"]}");
}

static void slips_are_told_where_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *parts, *at, *says;
	} bad[] = {
	        {"{}", ":1:12:", "'when' is a map: expected a list of parts"},
	        {"[x]", ":1:13:", "a part of 'when' is a map with match, found a string"},
	        {"[{x: 1}]", ":1:13:", "'match' is missing"},
	        {"[{match: , x: 1}]", ":1:13:", "'match' is missing"},
	        {"[{match: {}}]", ":1:21:", "'match' is empty: expected distribution or arch"},
	        {"[{match: x}]", ":1:21:", "expected a map, found a string"},
	        {"[{match: {arhc: x86_64}}]", ":1:22:", "did you mean 'arch'?"},
	        {"[{match: {arch: [arm64, x86-64]}}]",
	         ":1:36:", "unknown architecture 'x86-64', did you mean 'x86_64'?"},
	        {"[{match: {arch: sparc}}]",
	         ":1:28:", "unknown architecture 'sparc', expected x86_64 or arm64"},
	        {"[{match: {distribution: debain}}]",
	         ":1:36:", "unknown distribution 'debain', did you mean 'debian'?"},
	        {"[{match: {distribution: [ubuntu, debian:tricksie]}}]",
	         ":1:45:", "unknown distribution 'debian:tricksie', did you mean 'debian:trixie'?"},
	        {"[{match: {distribution: deb}}]", ":1:36:", "unknown distribution 'deb'"},
	        {"[{match: {arch: arm64}, image: {}}]", ":1:36:", "'image' has no place in a part"},
	        {"[{match: {arch: arm64}, when: []}]", ":1:36:", "'when' has no place in a part"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct doc *d;

		assert_err(apply(arena_printf(arena, "{when: %s}", bad[i].parts), "debian:bookworm",
		                 "x86_64", &d),
		           ERR_INPUT, bad[i].says);
		if (!strstr(e.text, bad[i].at))
			fail_msg("%s: at another place: %s", bad[i].parts, e.text);
	}
}

static void parts_are_bounded(void **state)
{
	(void)state;
	struct strbuf b = STRBUF(arena, 100000);
	struct doc *d;

	strbuf_str(&b, "{when: [");
	for (size_t i = 0; i <= WHEN_PARTS_MAX; i++)
		strbuf_str(&b, "{match: {arch: arm64}},");
	strbuf_str(&b, "]}");
	assert_err(apply(b.data, NULL, "arm64", &d), ERR_INPUT, "expected at most 256");
}

/* ---- in a recipe ---- */

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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(a_part_counts_where_all_of_its_keys_hold),
	        SCRATCH_TEST(what_is_left_out_tells_where_and_why),
	        SCRATCH_TEST(other_names_of_architectures_are_understood),
	        SCRATCH_TEST(parts_lie_over_the_text_they_are_in),
	        SCRATCH_TEST(slips_are_told_where_they_are),
	        SCRATCH_TEST(parts_are_bounded),
	        SCRATCH_TEST(the_header_says_what_the_image_is),
	        SCRATCH_TEST(of_a_tar_the_recipe_says_it),
	        SCRATCH_TEST(what_is_left_out_is_checked_as_well),
	        SCRATCH_TEST(all_slips_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
