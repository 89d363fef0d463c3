/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a recipe that are for some images. */
#include "recipe_test.h"

#include "document/include.h"

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

static void an_entry_may_be_for_some_images(void **state)
{
	(void)state;
	static const char *const text =
	        "{packages: [a, {name: b, match: {distribution: debian:trixie}},"
	        " {name: c, match: {arch: arm64}}, d],"
	        " files: [{path: /x, content: x, match: {distribution: ubuntu}}, {path: /y}],"
	        " copy: [{from: x, match: {arch: x86_64}}],"
	        " components: [x.yaml, {file: y.yaml, match: {arch: arm64}}],"
	        " sysctl: {match: 1}}";

	assert_string_equal(applied(text, "debian:trixie", "x86_64"),
	                    "{\"packages\":[\"a\",\"b\",\"d\"],\"files\":[{\"path\":\"/y\"}],"
	                    "\"copy\":[{\"from\":\"x\"}],\"components\":[\"x.yaml\"],"
	                    "\"sysctl\":{\"match\":1}}");
	assert_int_equal(when.n, 3);
	assert_string_equal(when.left[0].what, "packages: c");
	assert_string_equal(when.left[0].why, "it is for arm64, and the image is x86_64");
	assert_int_equal(when.left[0].part->col, 69);
	assert_string_equal(when.left[1].what, "files: /x");
	assert_string_equal(when.left[2].what, "components: y.yaml");
	assert_string_equal(applied(text, "ubuntu:noble", "arm64"),
	                    "{\"packages\":[\"a\",\"c\",\"d\"],"
	                    "\"files\":[{\"path\":\"/x\",\"content\":\"x\"},{\"path\":\"/y\"}],"
	                    "\"copy\":[],\"components\":[\"x.yaml\",{\"file\":\"y.yaml\"}],"
	                    "\"sysctl\":{\"match\":1}}");
}

/* In the lists of a section that is a map, in parts, and in what is included. */
static void entries_are_found_wherever_they_are(void **state)
{
	(void)state;
	put_yaml("arm.yaml", "{x: [arm]}");
	put_yaml("low.yaml", "{packages: [{name: low, match: {arch: arm64}}]}");
	static const char *const text =
	        "{include: [low.yaml, {name: arm.yaml, match: {arch: arm64}}],"
	        " packages: {names: [{name: b, match: {arch: arm64}}], update: never,"
	        " files: [/x_1_a.deb, {name: /y_1_a.deb, match: {arch: arm64}}]},"
	        " when: [{match: {distribution: debian}, units: [{name: u, match: {arch: arm64}}]}]}";

	assert_string_equal(applied(text, "debian:trixie", "arm64"),
	                    "{\"packages\":{\"names\":[\"low\",\"b\"],\"update\":\"never\","
	                    "\"files\":[\"/x_1_a.deb\",\"/y_1_a.deb\"]},\"x\":[\"arm\"],"
	                    "\"units\":[{\"name\":\"u\"}]}");
	assert_int_equal(when.n, 0);
	assert_string_equal(applied(text, "debian:trixie", "x86_64"),
	                    "{\"packages\":{\"names\":[],\"update\":\"never\","
	                    "\"files\":[\"/x_1_a.deb\"]},\"units\":[]}");
	assert_int_equal(when.n, 5);
	assert_string_equal(when.left[0].what, "include: arm.yaml");
	assert_int_equal(when.left[0].rest->n, 0);
	struct strbuf out = STRBUF(arena, 1000);
	doc_json(when.left[2].rest, &out);
	assert_string_equal(out.data,
	                    "{\"packages\":{\"names\":[{\"name\":\"b\",\"match\":{\"arch\":"
	                    "\"arm64\"}}],\"update\":\"never\",\"files\":[\"/y_1_a.deb\"]}}");
	assert_string_equal(when.left[3].what, "units: u");
	/* A part that is left out is that as a whole. */
	assert_string_equal(applied(text, "ubuntu:noble", "arm64"),
	                    "{\"packages\":{\"names\":[\"low\",\"b\"],\"update\":\"never\","
	                    "\"files\":[\"/x_1_a.deb\",\"/y_1_a.deb\"]},\"x\":[\"arm\"]}");
	assert_int_equal(when.n, 1);
	assert_string_equal(when.left[0].what, "units");
	assert_null(doc_get(doc_get(when.left[0].rest, "units")->items[0], "match"));
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

static void slips_of_entries_are_told_where_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *text, *at, *says;
	} bad[] = {
	        {"{packages: [{nam: x, match: {arch: arm64}}]}",
	         ":1:17:", "an entry of 'packages' for some images is a map with name and match"},
	        {"{packages: [{name: x, also: y, match: {arch: arm64}}]}",
	         ":1:17:", "a map with name and match"},
	        {"{packages: {files: [{match: {arch: x86_64}}]}}", ":1:25:", "an entry of 'files'"},
	        {"{include: [{file: x, match: {arch: arm64}}]}", ":1:16:", "an entry of 'include'"},
	        {"{files: [{path: /x, match: {arch: arm65}}]}", ":1:39:", "did you mean 'arm64'?"},
	        {"{files: [{path: /x, match: arm64}]}", ":1:32:", "expected a map"},
	        {"{files: [{path: /x, match: {}}]}", ":1:32:", "'match' is empty"},
	        {"{when: [{match: {arch: arm64}, files: [{path: /x, match: {arc: x}}]}]}",
	         ":1:63:", "did you mean 'arch'?"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct doc *d;

		assert_err(apply(bad[i].text, "debian:bookworm", "x86_64", &d), ERR_INPUT,
		           bad[i].says);
		if (!strstr(e.text, bad[i].at))
			fail_msg("%s: at another place: %s", bad[i].text, e.text);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(a_part_counts_where_all_of_its_keys_hold),
	        SCRATCH_TEST(what_is_left_out_tells_where_and_why),
	        SCRATCH_TEST(other_names_of_architectures_are_understood),
	        SCRATCH_TEST(parts_lie_over_the_text_they_are_in),
	        SCRATCH_TEST(an_entry_may_be_for_some_images),
	        SCRATCH_TEST(entries_are_found_wherever_they_are),
	        SCRATCH_TEST(slips_are_told_where_they_are),
	        SCRATCH_TEST(slips_of_entries_are_told_where_they_are),
	        SCRATCH_TEST(parts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
