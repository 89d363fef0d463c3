/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes out of several texts. */
#include "recipe_test.h"

#include "document/include.h"

static const char *load(const char *name)
{
	struct strbuf out = STRBUF(arena, 100000);
	struct doc *d;

	assert_ok(include_load(at(name), at("installed"), NULL, arena, &d, &e));
	doc_json(d, &out);
	return out.data;
}

static int try_load(const char *name)
{
	struct doc *d;

	return include_load(at(name), at("installed"), NULL, arena, &d, &e);
}

static void lists_and_maps_are_joined(void **state)
{
	(void)state;
	put_yaml("low.yaml",
	         "{files: [{path: /a}], image: {name: low, arch: x}, copy: , tests: [1]}");
	put_yaml(
	        "high.yaml",
	        "{include: [low.yaml], files: [{path: /b}], image: {name: high, disk: d}, copy: [c], "
	        "tests: }");
	assert_string_equal(
	        load("high.yaml"),
	        "{\"files\":[{\"path\":\"/a\"},{\"path\":\"/b\"}],\"image\":{\"name\":\"high\","
	        "\"arch\":\"x\",\"disk\":\"d\"},\"copy\":[\"c\"],\"tests\":[1]}");
}

static void a_section_of_names_may_be_spelt_either_way(void **state)
{
	(void)state;
	put_yaml("list.yaml", "{packages: [a]}");
	put_yaml("map.yaml", "{include: list.yaml, packages: {names: [b], timeout: 5}}");
	assert_string_equal(load("map.yaml"),
	                    "{\"packages\":{\"names\":[\"a\",\"b\"],\"timeout\":5}}");
	put_yaml("map.yaml", "{packages: {names: [b], timeout: 5}}");
	put_yaml("list.yaml", "{include: map.yaml, packages: [a]}");
	assert_string_equal(load("list.yaml"),
	                    "{\"packages\":{\"names\":[\"b\",\"a\"],\"timeout\":5}}");
}

static void a_file_counts_once_where_it_comes_first(void **state)
{
	(void)state;
	put_yaml("base.yaml", "{list: [0]}");
	put_yaml("sub/a.yaml", "{include: ../base.yaml, list: [1]}");
	put_yaml("b.yaml", "{include: base.yaml, list: [2]}");
	put_yaml("all.yaml", "{include: [sub/a.yaml, b.yaml], list: [3]}");
	assert_string_equal(load("all.yaml"), "{\"list\":[0,1,2,3]}");
}

static void json_is_read_as_well(void **state)
{
	(void)state;
	put("j.json", " \n\t{\"list\": [1]}");
	assert_string_equal(load("j.json"), "{\"list\":[1]}");
}

static void faults_stand_at_their_place(void **state)
{
	(void)state;
	put_yaml("itself.yaml", "{include: other.yaml}");
	put_yaml("other.yaml", "{include: [itself.yaml]}");
	assert_err(try_load("itself.yaml"), ERR_INPUT, "other.yaml:1:16");
	assert_int_equal(e.reason, REASON_INPUT_CYCLE);
	assert_non_null(strstr(e.text, arena_printf(arena, "includes itself: %s -> %s -> %s",
	                                            at("itself.yaml"), at("other.yaml"),
	                                            at("itself.yaml"))));
	put_yaml("types.yaml", "{include: below.yaml, x: {}}");
	put_yaml("below.yaml", "{x: []}");
	assert_err(try_load("types.yaml"), ERR_INPUT, "'x' is a map here and a list in");
	put_yaml("absent.yaml", "{include: none.yaml}");
	assert_err(try_load("absent.yaml"), ERR_INPUT, "absent.yaml:1:15: reading");
	put_yaml("text.yaml", "[a]");
	assert_err(try_load("text.yaml"), ERR_INPUT, "a recipe is a map of sections, found list");
	put("empty.yaml", "");
	assert_err(try_load("empty.yaml"), ERR_INPUT, "found an empty file");
	put_yaml("include.yaml", "{include: {a: b}}");
	assert_err(try_load("include.yaml"), ERR_INPUT, "include");
	assert_err(try_load("none.yaml"), ERR_INPUT, "none.yaml");
}

static void installed_recipes_are_found_after_those_beside(void **state)
{
	(void)state;
	put_yaml("installed/common.yaml", "{include: [agent.yaml], list: [installed]}");
	put_yaml("installed/agent.yaml", "{list: [agent]}");
	put_yaml("mine.yaml", "{include: common.yaml, list: [mine]}");
	assert_string_equal(load("mine.yaml"), "{\"list\":[\"agent\",\"installed\",\"mine\"]}");
	put_yaml("common.yaml", "{list: [beside]}");
	assert_string_equal(load("mine.yaml"), "{\"list\":[\"beside\",\"mine\"]}");
	put_yaml("dotted.yaml", "{include: ./agent.yaml}");
	assert_err(try_load("dotted.yaml"), ERR_INPUT, "dotted.yaml:1:15: reading");
	assert_null(strstr(e.text, "nor is it"));
	put_yaml("none.yaml", "{include: absent.yaml}");
	assert_err(try_load("none.yaml"), ERR_INPUT,
	           arena_printf(arena, "nor is it in '%s'", at("installed")));
}

static void null_includes_nothing(void **state)
{
	(void)state;
	put_yaml("null.yaml", "{include: , list: [1]}");
	assert_string_equal(load("null.yaml"), "{\"list\":[1]}");
}

static void levels_and_files_are_bounded(void **state)
{
	(void)state;
	struct strbuf many = STRBUF(arena, 10000);

	for (int i = 0; i < INCLUDE_DEPTH_MAX; i++)
		put_yaml(arena_printf(arena, "l%d.yaml", i),
		         i + 1 < INCLUDE_DEPTH_MAX
		                 ? arena_printf(arena, "{include: l%d.yaml}", i + 1)
		                 : "{list: [1]}");
	assert_string_equal(load("l0.yaml"), "{\"list\":[1]}");
	put_yaml("deep.yaml", "{include: l0.yaml}");
	assert_err(try_load("deep.yaml"), ERR_INPUT, "expected at most 8 levels");
	for (int i = 0; i < INCLUDE_FILES_MAX; i++) {
		put_yaml(arena_printf(arena, "f%d.yaml", i), "{list: [1]}");
		strbuf_printf(&many, "%sf%d.yaml", i ? "," : "", i);
	}
	put_yaml("wide.yaml", arena_printf(arena, "{include: [%s]}", many.data));
	assert_err(try_load("wide.yaml"), ERR_INPUT, "expected at most 64");
	put_yaml("f63.yaml", "{include: f0.yaml}");
	put_yaml("wide.yaml", arena_printf(arena, "{include: [%.*s]}",
	                                   (int)(many.len - strlen(",f63.yaml")), many.data));
	assert_ok(try_load("wide.yaml"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(lists_and_maps_are_joined),
	        T(a_section_of_names_may_be_spelt_either_way),
	        T(a_file_counts_once_where_it_comes_first),
	        T(json_is_read_as_well),
	        T(faults_stand_at_their_place),
	        T(installed_recipes_are_found_after_those_beside),
	        T(null_includes_nothing),
	        T(levels_and_files_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
