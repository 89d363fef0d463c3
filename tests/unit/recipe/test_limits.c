/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the keys of recipes: what just goes, and what is one more or one less. */
#include "recipe_test.h"

#include "limit_rows.h"

#include "document/when.h"
#include "recipe/allow.h"
#include "recipe/copy.h"
#include "recipe/recipe.h"

/* ---- recipes ---- */

static int load(const char *text)
{
	struct field_strings packages;
	struct recipe got;

	put_yaml("r.yaml", text);
	int r = recipe_load(at("r.yaml"), NULL, arena, &got, &e);
	return r < 0 ? r : recipe_packages(&got, arena, &packages, &e);
}

#define BOOKWORM "{image: {name: a, from: 'debian:bookworm'}, "

static void keys_of_recipes_have_limits(void **state)
{
	static const struct limit_row rows[] = {
	        {"{image: {name: '%s'}}", "name", "a", 1, 64},
	        {"{image: {name: a, cmdline: '%s'}}", "cmdline", "x", 0, 1024},
	        {"{image: {name: a, features: [%s]}}", "features", "efa", 0, 8},
	        {"{image: {name: a, from: 'debian:sid', sources: [%s]}}", "sources",
	         "'deb http://a/b sid m'", 0, 64},
	        {"{image: {name: a}, copy: [{from: /etc, to: '%s'}]}", "to", "/", 1, PATH_MAX - 1},
	        {"{image: {name: a}, tests: [{run: [%s]}]}", "run", "x", 1, 256},
	        {"{image: {name: a}, tests: [{run: x, name: '%s'}]}", "name", "x", 1, 100},
	        {"{image: {name: a}, allow: [{rule: tokens, reason: x, path: '%s'}]}", "path", "/",
	         1, PATH_MAX - 1},
	        {"{image: {name: a}, allow: [{rule: tokens, path: /x, reason: '%s'}]}", "reason",
	         "x", 1, 300},
	        {"{image: {name: a}, allow: [%s]}", "'allow'", "{rule: tokens, path: /, reason: x}",
	         0, ALLOW_MAX},
	        {BOOKWORM "when: [{match: {distribution: [%s]}}]}", "distribution", "debian", 1,
	         32},
	        {BOOKWORM "when: [{match: {arch: [%s]}}]}", "arch", "arm64", 1, 8},
	        {BOOKWORM "when: [%s]}", "'when' has too many parts", "{match: {arch: arm64}}", 0,
	         WHEN_PARTS_MAX},
	        {"{image: {name: a}, packages: [%s]}", "names", "p", 0, 4096},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_limits(load, &rows[i]);
}

static void what_is_empty_is_no_value(void **state)
{
	static const char *const texts[][2] = {
	        {"{image: {name: a, from: ''}}", "from"},
	        {"{image: {name: a, distribution: ''}}", "distribution"},
	        {"{image: {name: a}, copy: [{from: '', to: /x}]}", "from"},
	        {"{image: {name: a}, allow: [{rule: '', path: /x, reason: x}]}", "rule"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_err(load(texts[i][0]), ERR_INPUT, texts[i][1]);
}

static void numbers_have_limits(void **state)
{
	static const struct {
		const char *text;
		bool goes;
	} rows[] = {
	        {"{image: {name: a, disk: {size: 512M}}}", true},
	        {"{image: {name: a, disk: {size: 16T}}}", true},
	        {"{image: {name: a, disk: {size: 16777217M}}}", false},
	        {"{image: {name: a}, tests: [{run: x, timeout: 3600s}]}", true},
	        {"{image: {name: a}, tests: [{run: x, timeout: 3601s}]}", false},
	        {"{image: {name: a}, tests: [{run: x, timeout: 0s}]}", false},
	        {"{image: {name: a}, tests: [{run: x, expect: {status: -1}}]}", false},
	        {"{image: {name: a}, tests: [{run: x, expect: {status: 255}}]}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((load(rows[i].text) == 0) != rows[i].goes)
			fail_msg("%s: %s", rows[i].text, e.text);
}

/* ---- faults ---- */

/* Each is the only fault, and what is looked at after it is sound. */
static void one_fault_is_enough(void **state)
{
	static const char *const texts[] = {
	        "{image: {name: A}}",
	        "{image: {name: a, from: none.yaml}}",
	        "{image: {name: a}, munge: {}}",
	        "{image: {name: a}, files: [{path: x}]}",
	        "{image: {name: a}, copy: [{from: /etc, to: x}]}",
	        "{image: {name: a}, components: [{}]}",
	        "{image: {name: a}, tests: [{}]}",
	        "{image: {name: a}, allow: [{}]}",
	        BOOKWORM "when: [{match: {}}]}",
	        BOOKWORM "when: [{match: {}}, {match: {arch: arm64}}]}",
	        BOOKWORM "when: [{match: {arch: arm64}, files: [{path: x}]}]}",
	        BOOKWORM "when: [{match: {arch: arm64}, tests: [{}]}, {match: {arch: arm64}}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct faults faults = {.arena = arena};
		struct recipe got;

		put_yaml("r.yaml", texts[i]);
		assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT,
		           "");
		if (faults.n != 1)
			fail_msg("%s: %zu faults", texts[i], faults.n);
		assert_err(recipe_load(at("r.yaml"), NULL, arena, &got, &e), ERR_INPUT,
		           faults.items[0].text);
	}
}

static void each_entry_of_a_list_has_its_fault(void **state)
{
	static const char *const lists[] = {"copy", "components", "tests", "allow"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct faults faults = {.arena = arena};
		struct recipe got;

		put_yaml("r.yaml",
		         arena_printf(arena, "{image: {name: a}, %s: [{}, {x: y}, {}]}", lists[i]));
		assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT,
		           "r.yaml:1:");
		if (faults.n != 3)
			fail_msg("%s: %zu faults", lists[i], faults.n);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(keys_of_recipes_have_limits),
	        T(what_is_empty_is_no_value),
	        T(numbers_have_limits),
	        T(one_fault_is_enough),
	        T(each_entry_of_a_list_has_its_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
